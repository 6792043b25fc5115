/** Speaking into the page: real speech, real models; then hearing and taking away what was said. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { browse, editor, here, problems, ROOT, type Server, serve, transcript, visit } from "./server";

const TALK = join(ROOT, "tests/data/conversations/pub-2spk-clean.flac");
const SECONDS = 24;

let server: Server;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  server = await serve();
  const voice = join(server.folder, "voice.wav");
  const cut = `import soundfile as s; x, r = s.read(${JSON.stringify(TALK)}); s.write(${JSON.stringify(voice)}, x[: r * ${SECONDS}], r, subtype="PCM_16")`;
  execFileSync(process.env.TRAX_PYTHON ?? join(ROOT, ".venv/bin/python"), ["-c", cut]);
  browser = await browse(voice);
  const id = await transcript(server, "Spoken");
  ({ page } = await visit(browser, here(server, id), { permissions: ["microphone"] }));
});
afterAll(async () => {
  expect(problems.get(page)).toEqual([]);
  await browser?.close();
  await server?.stop();
});

const words = async () => (await editor(page).innerText()).toLowerCase();

test("speech becomes grey words, then ink, with speakers", async () => {
  await page.getByRole("button", { name: "Start speaking" }).click();
  await page.locator(".partial").first().waitFor({ state: "attached", timeout: 20_000 });
  await vi.waitFor(
    async () => {
      const said = await words();
      for (const word of ["unusual", "peaceful", "stillness", "crowd"]) expect(said).toContain(word);
    },
    { timeout: 40_000, interval: 300 },
  );
  expect(await page.locator(".turn-name").count()).toBeGreaterThan(1);
  expect(await page.locator(".status").innerText()).toMatch(/Listening|behind/);
});

test("who speaks is renamed in place, while words arrive", async () => {
  await page.locator(".turn-name").first().click();
  await page.getByLabel("Name", { exact: true }).fill("Huckleberry");
  await page.keyboard.press("Enter");
  await page.locator(".turn-name", { hasText: "Huckleberry" }).first().waitFor();
});

test("the recording ends when it is stopped, and all of it is written", async () => {
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Start speaking" }).waitFor({ timeout: 30_000 });
  expect(await page.locator(".problem").allInnerTexts()).toEqual([]);
  await vi.waitFor(async () => expect(await page.locator(".partial").count()).toBe(0), {
    timeout: 15_000,
  });
});

test("Alt and a click on a word play what was said there", async () => {
  const place = await page.evaluate(() => {
    const walk = document.createTreeWalker(document.querySelector(".text .cm-content") as Node, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const at = node.textContent?.indexOf("stillness") ?? -1;
      if (at === -1) continue;
      const range = document.createRange();
      range.setStart(node, at + 2);
      range.setEnd(node, at + 4);
      (node.parentElement as Element).scrollIntoView({ block: "center" });
      const { x, y, height } = range.getBoundingClientRect();
      return { x, y: y + height / 2 };
    }
    return null;
  });
  expect(place).not.toBeNull();
  if (!place) return;
  await page.keyboard.down("Alt");
  await page.mouse.click(place.x, place.y);
  await page.keyboard.up("Alt");
  await page.getByRole("button", { name: "Pause" }).first().waitFor();
  // "stillness" is said 6 seconds in.
  const slider = page.getByLabel("Position");
  await vi.waitFor(async () => expect(Number(await slider.inputValue())).toBeGreaterThanOrEqual(6));
  expect(Number(await slider.inputValue())).toBeLessThanOrEqual(9);
  await page.locator(".heard-now").first().waitFor();
  await page.locator(".waveform").waitFor();
});

test.each([
  ["Word document", /^PK/],
  ["SRT subtitles", /^1\r?\n00:00:0\d,\d{3} -->/],
  ["VTT subtitles", /^WEBVTT/],
  ["JSON", /^\{/],
  ["RTTM speakers", /^SPEAKER /],
  ["Plain text", /Huckleberry/],
  ["Obsidian note", /^---\ntitle: "Spoken"\ndate: \d{4}-\d\d-\d\d/],
] as const)("%s is saved, and is what it says", async (name, looks) => {
  await page.getByRole("button", { name: "Take away" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^Spoken\./);
  expect(readFileSync(await download.path(), "utf8")).toMatch(looks);
  await page.keyboard.press("Escape");
});

test("searching inside shows the place", async () => {
  await page.getByLabel("Search in this transcript").first().click();
  await page.getByPlaceholder("Search in this transcript").fill("PEACEFUL");
  await page.keyboard.press("Enter");
  await page.getByText("1 of 1").waitFor();
  expect(await page.locator(".found").innerText()).toBe("peaceful");
});
