// Compiles the library into dist/, one module for each of src/, and bundles two files:
// the worklet, which bundlers and browsers take as one file of its own, and `browser.js`,
// the whole client with all that it needs, for pages without a bundler.

import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
rmSync("dist", { recursive: true, force: true });
const tsc = fileURLToPath(new URL("./node_modules/typescript/bin/tsc", import.meta.url));
execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { stdio: "inherit" });

const bundled = { bundle: true, format: "esm", target: "es2022", logLevel: "warning" };
await build({ ...bundled, entryPoints: ["src/worklet.ts"], outfile: "dist/worklet.js" });
await build({
  ...bundled,
  entryPoints: ["src/browser.ts"],
  outfile: "dist/browser.js",
  minify: true,
  keepNames: true, // of errors
});
