/**
 * The client in a real browser, Chromium, with a recording for a microphone, on a page that allows
 * no script but its own: what `npm run build` made is what runs.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { wav } from "../src/wav.js";
import { recording, Server, said } from "./serving.js";

/** What `dist/browser.js` has, as pages see it. */
type Client = typeof import("../src/browser.js");
declare const load: () => Promise<Client>;

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const folder = mkdtempSync(join(tmpdir(), "trax-js-"));
const browsers: Browser[] = [];

let server: Server;
let site: HttpServer;
let origin: string;

beforeAll(async () => {
  site = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (path === "/") {
      response.setHeader("Content-Type", "text/html");
      response.setHeader(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; connect-src 'self' ws: http:",
      );
      response.end("<!doctype html><title>Test</title>");
      return;
    }
    response.setHeader("Content-Type", "text/javascript");
    response.end(readFileSync(new URL(`..${path}`, import.meta.url)));
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  server = await Server.start(null, { TRAX_ALLOWED_ORIGINS: origin });
  writeFileSync(join(folder, "jfk.wav"), wav([recording("jfk")], 16_000, "pcm_s16le"));
  writeFileSync(join(folder, "silence.wav"), wav([new Uint8Array(320_000)], 16_000, "pcm_s16le"));
}, 120_000);

afterEach(async () => {
  for (const browser of browsers.splice(0)) await browser.close();
});

afterAll(async () => {
  site.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function page(sound: string): Promise<Page> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-audio-capture=${join(folder, sound)}%noloop`,
    ],
  });
  browsers.push(browser);
  const opened = await browser.newPage();
  // As text: an import in a function would be rewritten by what runs these tests.
  await opened.addInitScript('globalThis.load = () => import("/dist/browser.js")');
  await opened.goto(origin);
  return opened;
}

const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z ]/g, "")
    .trim();

test.each([
  ["at the session's rate", false],
  ["resampled, where the browser refuses that rate", true],
])("speech gives the right words, %s", { timeout: 60_000 }, async (_, refuses) => {
  const opened = await page("jfk.wav");
  const heard = await opened.evaluate(
    async ({ url, refuses }) => {
      const Context = globalThis.AudioContext;
      let rate = 0;
      globalThis.AudioContext = class extends Context {
        constructor(options?: AudioContextOptions) {
          if (refuses && options?.sampleRate) throw new DOMException("no", "NotSupportedError");
          super(options);
          rate = this.sampleRate;
        }
      };
      const { connect, Folding, Microphone } = await load();
      const microphone = await Microphone.open({
        echoCancellation: false,
        noiseSuppression: false,
        autoGainControl: false,
      });
      const session = await connect(url, { language: "en" });
      const level = { most: 0, bytes: 0 };
      microphone.on("level", ({ peak }) => {
        level.most = Math.max(level.most, peak);
      });
      microphone.on("audio", (pcm) => {
        level.bytes += pcm.length;
      });
      microphone.pipe(session);
      const folding = new Folding();
      const reading = (async () => {
        for await (const event of session) folding.apply(event);
      })();
      await new Promise((resolve) => setTimeout(resolve, 12_500));
      await microphone.close();
      session.end();
      await reading;
      return { text: folding.text, rate, ...level, devices: await Microphone.devices() };
    },
    { url: server.url, refuses },
  );
  // Chromium plays the recording as time goes by, and loses some where the machine is busy.
  const [expected, words] = [plain(said("jfk")).split(/ +/), plain(heard.text).split(/ +/)];
  const found = expected.filter((word) => words.includes(word));
  expect(found.length / expected.length, heard.text).toBeGreaterThanOrEqual(0.9);
  expect(Math.abs(words.length - expected.length)).toBeLessThanOrEqual(2);
  expect(heard.rate === 16_000).toBe(!refuses);
  expect(heard.most).toBeGreaterThan(0.3);
  expect(heard.bytes / 32_000).toBeGreaterThan(12);
  expect(heard.devices.length).toBeGreaterThan(0);
});

test("what is wrong with a microphone is told apart", { timeout: 60_000 }, async () => {
  const opened = await page("silence.wav");
  const told = await opened.evaluate(async () => {
    const { Microphone, MicrophoneError } = await load();
    const devices = navigator.mediaDevices;
    const real = devices.getUserMedia.bind(devices);
    const refused: string[] = [];
    for (const name of ["NotAllowedError", "NotFoundError", "NotReadableError"]) {
      devices.getUserMedia = () => Promise.reject(new DOMException("", name));
      await Microphone.open().catch((error) => {
        refused.push(error instanceof MicrophoneError ? error.reason : String(error));
      });
    }
    let track: MediaStreamTrack | undefined;
    devices.getUserMedia = async (wish) => {
      const stream = await real(wish);
      track = stream.getAudioTracks()[0];
      return stream;
    };
    const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const microphone = await Microphone.open({ ...raw, silentAfterMs: 500 });
    const next = () =>
      new Promise<string>((resolve) => {
        const stop = microphone.on("error", ({ reason }) => {
          stop();
          resolve(reason);
        });
      });
    const silent = await next();
    const unplugged = next();
    track?.dispatchEvent(new Event("ended")); // as when it is pulled out
    return [...refused, silent, await unplugged, microphone.state];
  });
  expect(told).toEqual(["denied", "notFound", "busy", "silent", "unplugged", "closed"]);
});

test("a page that is loaded again finds its session", { timeout: 60_000 }, async () => {
  const opened = await page("silence.wav");
  const before = await opened.evaluate(async (url) => {
    const { connect, pendingSessions } = await load();
    const session = await connect(url);
    await session.send(new Uint8Array(96_000));
    return (await pendingSessions()).length; // it is this page's own
  }, server.url);
  expect(before).toBe(0);
  await opened.reload();
  const after = await opened.evaluate(async (url) => {
    const { pendingSessions, resumePending } = await load();
    const left = (await pendingSessions()).length;
    const session = await resumePending(url);
    session?.end();
    const done = await session?.finished;
    return [left, done?.audioMs, (await pendingSessions()).length];
  }, server.url);
  expect(after).toEqual([1, 3_000, 0]);
});
