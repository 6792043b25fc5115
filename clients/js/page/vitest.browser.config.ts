import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

// One after the other: each starts a server, and most speak in real time.
export default defineConfig({
  resolve: {
    alias: [
      { find: /^trax-client$/, replacement: path("../src/index.ts") },
      { find: /^trax-client\/transcript$/, replacement: path("../src/transcript.ts") },
    ],
    dedupe: ["yjs", "lib0", "y-protocols", "y-indexeddb", "idb", "@msgpack/msgpack"],
  },
  test: {
    include: ["tests/browser/**/*.browser.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
