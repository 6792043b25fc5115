/** What files of tests begin with, and what most of them do: a server, a browser, somebody who speaks. */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { openTranscript, type SharedTranscript } from "trax-client/transcript";
import { afterAll, afterEach, expect, vi } from "vitest";
import { WebSocket } from "ws";
import {
  browse,
  editor,
  PYTHON,
  problems,
  ROOT,
  read,
  type Server,
  serve,
  TOKEN,
  visit,
  type Wishes,
} from "./server";

const TALK = join(ROOT, "tests/data/conversations/pub-2spk-clean.flac");

/**
 * Starts a server, and a browser; they end after the last test of the file.
 *
 * @param voice - Makes the WAV file that the microphone gives, in this folder; returns its path.
 */
export async function begin(
  wishes: Wishes = {},
  voice?: (folder: string) => string,
): Promise<{ server: Server; browser: Browser }> {
  const server = await serve(wishes);
  afterAll(server.stop);
  try {
    const browser = await browse(voice?.(server.folder));
    afterAll(() => browser.close());
    return { server, browser };
  } catch (error) {
    await server.stop(); // where a file cannot begin, nothing after its tests is done
    throw error;
  }
}

/** A voice: so many seconds of two people who talk. */
export const talking = (seconds: number) => (folder: string) => {
  const path = join(folder, "voice.wav");
  const [from, to] = [TALK, path].map((each) => JSON.stringify(each));
  const cut = `import soundfile as s; x, r = s.read(${from}); s.write(${to}, x[: r * ${seconds}], r, subtype="PCM_16")`;
  execFileSync(PYTHON, ["-c", cut]);
  return path;
};

/** A voice for scripted engines, which do not listen: but what is silent has no level. */
export const humming = (seconds: number) => (folder: string) => {
  const path = join(folder, "voice.wav");
  writeFileSync(path, tone(seconds));
  return path;
};

/** A WAV file that is not silent: 16 kHz, mono, 16 bits. */
export function tone(seconds: number): Buffer {
  const size = seconds * 32_000;
  const file = Buffer.alloc(44 + size);
  file.write("RIFF", 0);
  file.writeUInt32LE(36 + size, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(16_000, 24);
  file.writeUInt32LE(32_000, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(size, 40);
  for (let at = 0; at < size / 2; at++)
    file.writeInt16LE(Math.round(8_000 * Math.sin(at / 9)), 44 + 2 * at);
  return file;
}

/** Opens pages, which are closed after each test: none may have done what it must not. */
export function looking(browser: Browser) {
  let open: Page[] = [];
  afterEach(async () => {
    const found = open.flatMap((page) => problems.get(page) ?? []);
    for (const page of open) await page.context().close();
    open = [];
    expect(found).toEqual([]);
  });
  return async (address: string, options: BrowserContextOptions = {}): Promise<Page> => {
    const { page } = await visit(browser, address, options);
    open.push(page);
    return page;
  };
}

/** Writes at the end of the transcript. */
export async function typed(page: Page, text: string): Promise<void> {
  await editor(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(text);
}

/** Looks again and again until nothing is missing any more. */
export const eventually = (check: () => Promise<void>, timeout = 30_000) =>
  vi.waitFor(check, { timeout, interval: 150 });

/** Another client of the same transcript, without a browser. */
export const enter = (server: Server, id: string): Promise<SharedTranscript> =>
  openTranscript(server.url, id, { token: TOKEN, WebSocket: WebSocket as never });

/** Counts what microphones give a page from now on; returns how to ask for it, in milliseconds. */
export async function recording(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const counted = { samples: 0 };
    Object.assign(window, { counted });
    window.AudioWorkletNode = class extends AudioWorkletNode {
      constructor(...given: ConstructorParameters<typeof AudioWorkletNode>) {
        super(...given);
        this.port.addEventListener("message", ({ data }) => {
          counted.samples += (data?.pcm.byteLength ?? 0) / 2;
        });
      }
    };
  });
  return async () => Number(await page.evaluate("counted.samples")) / 16;
}

/** Selects the whole text, even if something else takes the focus at that moment. */
export const chooseAll = (page: Page) =>
  vi.waitFor(
    async () => {
      await editor(page).click();
      // So long after it has the focus CodeMirror takes a selection for the browser's, should the
      // text be drawn anew just then.
      await page.waitForTimeout(250);
      await page.keyboard.press("Control+a");
      await page.getByRole("toolbar").waitFor({ timeout: 1_000 });
    },
    { timeout: 30_000 },
  );

/** Presses the microphone, and waits for a word. */
export async function speak(page: Page, until: string): Promise<void> {
  await page.getByRole("button", { name: "Start speaking" }).click();
  await eventually(async () => expect(await read(page)).toContain(until));
}

/** Ends a recording, and waits until all of it is written, or its server is away. */
export async function stop(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Stop" }).click();
  await ended(page);
}

/** Waits until a recording that ends is over: until then, nobody can begin another. */
export const ended = (page: Page) =>
  page
    .getByRole("button", { name: "Start speaking", disabled: false })
    .waitFor({ timeout: 30_000 });
