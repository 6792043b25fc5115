import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

// Everything is addressed relatively, so that the page works below any path of a proxy; and what the
// page would have inline, the policy of `server/page.py` refuses.
export default defineConfig({
  base: "./",
  plugins: [react()],
  html: { cspNonce: "TRAX-NONCE" },
  resolve: {
    alias: [
      { find: /^trax-client$/, replacement: path("../src/index.ts") },
      { find: /^trax-client\/transcript$/, replacement: path("../src/transcript.ts") },
      { find: /^trax-client\/worklet$/, replacement: path("../src/worklet.ts") },
    ],
    // The client's sources stand outside this folder, and must find and share what is in it.
    dedupe: ["yjs", "lib0", "y-protocols", "y-indexeddb", "idb", "@msgpack/msgpack"],
  },
  worker: { format: "es" },
  build: {
    outDir: path("../../../server/web"),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The first that know `light-dark()`, which older ones would need twice in every rule.
    target: ["chrome123", "firefox120", "safari17.5"],
    chunkSizeWarningLimit: 600,
  },
  test: { include: ["tests/**/*.test.ts"], root: path(".") },
});
