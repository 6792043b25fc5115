/** Speaking into the page: real speech, real models; then hearing and taking away what was said. */

import { afterAll, expect, test, vi } from "vitest";
import { editor, here, problems, transcript, visit } from "./server";
import { begin, stop, talking } from "./stage";
import { FILES } from "./taken";

const { server, browser } = await begin({}, talking(24));
const id = await transcript(server, "Spoken");
const { page } = await visit(browser, here(server, id), { permissions: ["microphone"] });
afterAll(() => expect(problems.get(page)).toEqual([]));

const words = async () => (await editor(page).innerText()).toLowerCase();

test("speech becomes grey words, then ink, with speakers", async () => {
  await page.getByRole("button", { name: "Start speaking" }).click();
  await page.locator(".partial").first().waitFor({ state: "attached", timeout: 20_000 });
  await vi.waitFor(
    async () => {
      const said = await words();
      for (const word of ["unusual", "peaceful", "stillness", "crowd"])
        expect(said).toContain(word);
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
  await stop(page);
  expect(await page.locator(".problem").allInnerTexts()).toEqual([]);
  await vi.waitFor(async () => expect(await page.locator(".partial").count()).toBe(0), {
    timeout: 15_000,
  });
});

/** Clicks into a word of the transcript. */
async function click(word: string, modifiers: "Alt"[] = []): Promise<void> {
  const place = await page.evaluate((sought) => {
    const content = document.querySelector(".text .cm-content") as Node;
    const walk = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const at = node.textContent?.indexOf(sought) ?? -1;
      if (at === -1) continue;
      const range = document.createRange();
      range.setStart(node, at + 2);
      range.setEnd(node, at + 4);
      (node.parentElement as Element).scrollIntoView({ block: "center" });
      const { x, y, height } = range.getBoundingClientRect();
      return { x, y: y + height / 2 };
    }
    throw new Error(`${sought} expected`);
  }, word);
  for (const key of modifiers) await page.keyboard.down(key);
  await watched();
  await page.mouse.click(place.x, place.y);
  for (const key of modifiers) await page.keyboard.up(key);
}

/** Where playback stood in each frame that was drawn since the last time, in seconds. */
const watched = () =>
  page.evaluate(() => {
    const frames = window as { stood?: number[] };
    const stood = frames.stood ?? [];
    if (frames.stood === undefined) {
      frames.stood = stood;
      requestAnimationFrame(function look() {
        const position = document.querySelector<HTMLInputElement>('[aria-label="Position"]');
        if (position) stood.push(Number(position.value));
        requestAnimationFrame(look);
      });
    }
    return stood.splice(0);
  });

/** Waits until a frame showed playback within some seconds: it goes on while one looks. */
const heardAt = (from: number, to: number) =>
  vi.waitFor(async () => {
    const stood = await watched();
    expect(stood.some((at) => from <= at && at <= to)).toBe(true);
  });
const button = (name: string) => page.getByRole("button", { name, exact: true });

test("the sound is shown while nothing plays", async () => {
  const shape = page.locator(".waveform .unheard");
  await vi.waitFor(
    async () => expect((await shape.getAttribute("d"))?.length).toBeGreaterThan(1_000),
    { timeout: 15_000 },
  );
  expect(await button("Play").count()).toBe(1);
});

test("a click on a word says where play begins, and plays nothing", async () => {
  await click("stillness"); // said 6 seconds in
  await heardAt(5, 11);
  expect(await button("Play").count()).toBe(1);
  await button("Play").click();
  await page.locator(".heard-now").first().waitFor();
  await heardAt(5, 14);
});

test("while it plays, a click on a word plays that word", async () => {
  await click("unusual");
  await heardAt(1, 6);
  await button("Pause").click();
});

test("with 'Click to hear', any word plays at a click, and the page says so", async () => {
  await button("Click to hear").click();
  expect(await page.locator(".text").getAttribute("title")).toBe("Click any word to hear it");
  await click("stillness");
  await button("Pause").waitFor();
  await heardAt(5, 12);
  await button("Pause").click();
  await button("Click to hear").click();
});

test("Alt and a click play at once, and so does the time of a turn", async () => {
  await click("stillness", ["Alt"]);
  await button("Pause").waitFor();
  await heardAt(5, 12);
  await button("Pause").click();
  await watched();
  await page.locator(".turn-time").first().click();
  await button("Pause").waitFor();
  await heardAt(0, 6);
  await button("Pause").click();
});

test.each(FILES)("%s is saved, and is what it says", async (name, check) => {
  await page.getByRole("button", { name: "Take away" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^Spoken\./);
  await page.keyboard.press("Escape");
  check(await download.path());
});

test("a passage is heard again by a model that is chosen of those that are here", async () => {
  await editor(page).press("Control+Home");
  for (let n = 0; n < 4; n++) await page.keyboard.press("Control+Shift+ArrowRight");
  await page.getByRole("toolbar").getByRole("button", { name: "Hear again" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Model").selectOption("whisper-base");
  await dialog.getByLabel("is only suggested").check();
  await dialog.getByRole("button", { name: "Hear again" }).click();
  await dialog.getByText("Done").waitFor({ timeout: 50_000 });
  await dialog.getByRole("button", { name: "Close" }).click();
});

test("searching inside shows the first place, and the next one at Enter", async () => {
  await page.getByLabel("Search in this transcript").first().click();
  const sought = page.getByPlaceholder("Search in this transcript");
  await sought.fill("PEACEFUL");
  await page.getByText("1 of 1").waitFor();
  expect(await page.locator(".found").innerText()).toBe("peaceful");
  await sought.fill("the");
  await page.getByText(/^1 of \d/).waitFor();
  const placed = () => page.locator(".found").boundingBox();
  const first = await placed();
  await sought.press("Enter");
  await page.getByText(/^2 of \d/).waitFor();
  expect(await placed()).not.toEqual(first);
});
