/** A real `trax serve` on a free port, and browsers that look at it. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";

export const ROOT = fileURLToPath(new URL("../../../../../", import.meta.url));
export const TOKEN = "token-of-the-browser-tests";
export const PYTHON = process.env.TRAX_PYTHON ?? join(ROOT, ".venv/bin/python");
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/google-chrome", "/usr/bin/chromium-browser"];

export interface Server {
  readonly url: string;
  readonly entry: string;
  readonly folder: string;
  /** Id of the meeting that was there before. */
  readonly meeting: string;
  restart(): Promise<void>;
  halt(): Promise<void>;
  stop(): Promise<void>;
}

type Script = readonly { word: string; start: number; end: number; speaker: string }[];

export interface Wishes {
  /** What is heard, whatever is said; without it the real models listen. */
  readonly script?: Script;
  /** What a pass over the whole recording hears in its place. */
  readonly again?: Script;
  /** How long a meeting is there already, with all that people do to one. */
  readonly hours?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A script of numbered words: two a second, a pause after every fifth, two speakers. */
export const talk = (count: number) =>
  Array.from({ length: count }, (_, n) => {
    const start = 0.5 * n + Math.floor(n / 5);
    return {
      word: `word${n}`,
      start,
      end: start + 0.4,
      speaker: `S${(Math.floor(n / 5) % 2) + 1}`,
    };
  });

export async function serve(wishes: Wishes = {}): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "trax-page-"));
  const flags = ["--data-dir", join(folder, "data")];
  if (wishes.script) {
    writeFileSync(join(folder, "script.json"), JSON.stringify(wishes.script));
    let passes = '[[stage]]\nname = "utterance"\nwhen = "utterance"\n';
    if (wishes.again) {
      writeFileSync(join(folder, "again.json"), JSON.stringify(wishes.again));
      const model = JSON.stringify(`scripted:${join(folder, "again.json")}`);
      passes += `[[stage]]\nname = "again"\nwhen = "recording"\nmodel = ${model}\n`;
    }
    writeFileSync(join(folder, "passes.toml"), passes);
    flags.push("--live-model", `scripted:${join(folder, "script.json")}`);
    flags.push("--passes", join(folder, "passes.toml"));
  }
  const meeting = wishes.hours ? write(join(folder, "data"), wishes.hours) : "";
  let [process, url] = await start(flags, 0, wishes.env);
  const port = Number(new URL(url).port);
  const halt = () => ended(process);
  return {
    url,
    entry: `${url}?token=${TOKEN}`,
    folder,
    meeting,
    halt,
    restart: async () => {
      await halt();
      [process] = await start(flags, port, wishes.env);
    },
    stop: async () => {
      await halt();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const environment = (more: Readonly<Record<string, string>> = {}) => ({
  ...process.env,
  ...more,
  TRAX_TOKEN: TOKEN,
  PYTHONPATH: [ROOT, join(ROOT, "clients/py")].join(":"),
});

function write(data: string, hours: number): string {
  mkdirSync(data);
  const command = ["-m", "loadtest.page_meeting", data, String(hours)];
  return execFileSync(PYTHON, command, { cwd: ROOT, env: environment(), encoding: "utf8" }).trim();
}

async function start(
  flags: readonly string[],
  port: number,
  more?: Readonly<Record<string, string>>,
): Promise<[ChildProcess, string]> {
  const child = spawn(PYTHON, ["-m", "server", "serve", "--port", String(port), ...flags], {
    cwd: ROOT,
    env: environment(more),
  });
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      said += chunk.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(said);
      if (found) resolve(found[0]);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.on("exit", () => reject(new Error(`the server ended: ${said}`)));
  });
  return [child, url];
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

/** Starts Chromium; `voice` is the WAV file that its microphone gives. */
export async function browse(voice?: string): Promise<Browser> {
  const executablePath = CHROMIUM.find(existsSync);
  if (!executablePath)
    throw new Error("Chromium expected: requirements/install-for-tests installs it");
  const args = [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
  ];
  args.push("--autoplay-policy=no-user-gesture-required");
  if (voice) args.push(`--use-file-for-fake-audio-capture=${voice}%noloop`);
  return chromium.launch({ executablePath, args });
}

/** What a page did that it must not: errors, and what its policy refused. */
export const problems = new WeakMap<Page, string[]>();

export async function visit(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; context: BrowserContext }> {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  const found: string[] = [];
  problems.set(page, found);
  page.on("pageerror", (error) => found.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load|WebSocket|ERR_/.test(message.text())) {
      found.push(message.text());
    }
  });
  await page.goto(address);
  return { page, context };
}

/** Makes a transcript, over HTTP; returns its id. */
export async function transcript(server: Server, title: string): Promise<string> {
  return (await api<{ id: string }>(server, "v1/transcripts", { title })).id;
}

export async function api<T>(server: Server, path: string, body?: object): Promise<T> {
  const answer = await fetch(server.url + path, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** The address of a transcript, by a link of this role. */
export async function link(server: Server, id: string, role: "editor" | "viewer"): Promise<string> {
  const { token } = await api<{ token: string }>(server, `v1/transcripts/${id}/links`, { role });
  return `${server.url}?token=${token}#/t/${id}`;
}

export const here = (server: Server, id: string) => `${server.entry}#/t/${id}`;

/** The transcript's text as an editor shows it, once it is there. */
export const editor = (page: Page) => page.locator(".text .cm-content");

/** What somebody reads in the editor, without heads of turns and the cursors of others. */
export async function read(page: Page): Promise<string> {
  const lines = await page.locator(".text .cm-line").evaluateAll((all) =>
    all.map((line) => {
      const copy = line.cloneNode(true) as Element;
      for (const caret of copy.querySelectorAll(".caret")) caret.remove();
      return copy.textContent ?? "";
    }),
  );
  return lines.join("\n").trim();
}

/** What the server says stands in a transcript. */
export async function standing(server: Server, id: string): Promise<string> {
  const { turns } = await api<{ turns: { text: string }[] }>(server, `v1/transcripts/${id}/turns`);
  return turns.map(({ text }) => text).join("\n");
}
