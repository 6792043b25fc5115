import { defineConfig } from "vitest/config";

// One after the other: each starts a server, and most speak in real time.
export default defineConfig({
  test: {
    include: ["tests/browser/**/*.browser.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
