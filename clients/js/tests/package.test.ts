/** What `npm pack` makes of `npm run build`, in a folder of its own: the quick start works there. */

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Folding, ServerUnreachable } from "../src/index.js";
import { Server, samples, talk } from "./serving.js";

const HERE = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "trax-pack-"));
const modules = join(folder, "node_modules");
let files: string[];

beforeAll(() => {
  const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [packed] = JSON.parse(execFileSync("npm", pack, { cwd: HERE, encoding: "utf8" }));
  files = packed.files.map(({ path }: { path: string }) => path);
  mkdirSync(join(modules, "trax-client"), { recursive: true });
  const archive = join(folder, packed.filename);
  const into = join(modules, "trax-client");
  execFileSync("tar", ["-xzf", archive, "-C", into, "--strip-components", "1"]);
  // What `npm install` would fetch.
  const { dependencies } = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8"));
  mkdirSync(join(modules, "@msgpack"));
  mkdirSync(join(modules, "@types"));
  for (const name of [...Object.keys(dependencies), "yjs", "ws", "@types/ws", "@types/node"]) {
    symlinkSync(join(HERE, "node_modules", name), join(modules, name));
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
});
afterAll(() => rmSync(folder, { recursive: true }));

test("it holds modules with their types, and nothing of how it is made", () => {
  for (const name of ["index", "transcript", "session"]) {
    expect(files).toContain(`dist/${name}.js`);
    expect(files).toContain(`dist/${name}.d.ts`);
  }
  expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "dist/worklet.js"]));
  expect(files.filter((path) => /test|^src|^page|node_modules/.test(path))).toEqual([]);
});

test("the quick start of the README runs as it stands there", { timeout: 120_000 }, async () => {
  const readme = readFileSync(join(HERE, "README.md"), "utf8");
  const script = /```js\n(\/\/ captions\.mjs\n.*?)```/s.exec(readme)?.[1] ?? "";
  writeFileSync(join(folder, "captions.mjs"), script);
  const server = await Server.start(talk(12));
  try {
    const child = spawn(process.execPath, ["captions.mjs", server.url], { cwd: folder });
    child.stdin.end(samples(10));
    const told: string[] = [];
    child.stdout.on("data", (text) => told.push(String(text)));
    child.stderr.on("data", (text) => told.push(String(text)));
    await new Promise((resolve) => child.on("close", resolve));
    expect(told.join("").trim()).toBe(Array.from({ length: 12 }, (_, n) => `w${n}`).join(" "));
  } finally {
    await server.stop();
  }
});

test("a strict compiler finds its types", { timeout: 60_000 }, () => {
  const source = `import { connect, type Session } from "trax-client";
import { openTranscript, type SharedTranscript } from "trax-client/transcript";
import { WebSocket } from "ws";
export const session: Promise<Session> = connect("/", { WebSocket, renew: false });
export const open: Promise<SharedTranscript> = openTranscript("/", "id");
`;
  writeFileSync(join(folder, "use.ts"), source);
  const compiler = join(HERE, "node_modules/typescript/bin/tsc");
  const flags = "--noEmit --strict --module nodenext --target es2022 --skipLibCheck --types node";
  const command = [compiler, ...flags.split(" "), "use.ts"];
  expect(execFileSync(process.execPath, command, { cwd: folder, encoding: "utf8" })).toBe("");
});

test("the example page is at most 30 lines, and says what the server has to allow", () => {
  const page = readFileSync(join(HERE, "examples/captions.html"), "utf8").trim();
  expect(page.split("\n").length).toBeLessThanOrEqual(30);
  expect(page).toContain("--allowed-origins http://127.0.0.1:5000");
});

test("the button of the example page can be pressed again after a failure", async () => {
  const page = readFileSync(join(HERE, "examples/captions.html"), "utf8");
  const script = /<script type="module">(.*)<\/script>/s.exec(page)?.[1] ?? "";
  const button = { disabled: false, onclick: async (): Promise<void> => undefined };
  const captions = { textContent: "" };
  const close = vi.fn();
  const fakes = {
    document: { querySelectorAll: () => [button, captions] },
    location: { search: "" },
    Folding,
    Microphone: { open: async () => ({ close, pipe: () => undefined }) },
    connect: () => Promise.reject(new ServerUnreachable("http://127.0.0.1:8000", "1006")),
  };
  new Function(...Object.keys(fakes), script.replace(/import .*/, ""))(...Object.values(fakes));
  await button.onclick();
  expect(captions.textContent).toContain("1006");
  expect(button.disabled).toBe(false);
  expect(close).toHaveBeenCalledOnce();
});
