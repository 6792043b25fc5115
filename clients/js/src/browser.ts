/** All of the client in one file, with all that it needs: for pages without a bundler. */

export * from "./index.js";
export * from "./transcript.js";
