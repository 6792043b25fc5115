/**
 * Every state of the page, by day and by night, on a laptop and on a phone: axe finds nothing serious.
 *
 * `TRAX_SHOTS=FOLDER npm run test:browser -- states` also keeps a picture of each, and writes what was
 * found into `docs/accessibility.md`. What is said comes from a script, so that pictures of two
 * versions can be compared.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import type { SharedTranscript } from "trax-client/transcript";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Audit, audit, grave, table } from "./audit";
import { editor, here, link, problems, ROOT, read, transcript, visit } from "./server";
import { begin, enter, eventually, stop, talking } from "./stage";

const SHOTS = process.env.TRAX_SHOTS;

/** A meeting, whose second pass hears one word otherwise. */
const SAID = [
  "Good morning. Shall we begin with the budget of the lighthouse?",
  "Yes. The lamp costs less than we feared, and the stairs cost more.",
  "Then the stairs come first. Who speaks to the harbor?",
  "I do, on Thursday. They wanted to see drawings before the spring.",
  "Let us send them tonight. Can we paint before May?",
  "It depends on the whether.",
];

/** Three words a second, and a pause after each of the two speakers. */
function script(correct: (word: string) => string) {
  let at = 0.3;
  return SAID.flatMap((line, turn) => {
    const words = line.split(" ").map((each) => {
      const start = at;
      at += 0.33;
      return { word: correct(each), start, end: at - 0.03, speaker: `S${(turn % 2) + 1}` };
    });
    at += 0.8;
    return words;
  });
}

const LAPTOP = { width: 1120, height: 720 };
const PHONE = { viewport: { width: 390, height: 720 }, hasTouch: true, isMobile: true };
const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  day: { viewport: LAPTOP, colorScheme: "light" },
  night: { viewport: LAPTOP, colorScheme: "dark" },
  phone: { ...PHONE, colorScheme: "light" },
  "phone-night": { ...PHONE, colorScheme: "dark" },
};

const { server, browser } = await begin(
  {
    script: script((word) => word),
    again: script((word) => word.replace("harbor", "council")),
  },
  talking(30),
);
/** A meeting with words, times, sound and all that people add. */
let full: string;
let other: SharedTranscript;
/** What was found, by look and state. */
const audits: Record<string, Record<string, Audit>> = {};

beforeAll(async () => {
  if (SHOTS) mkdirSync(SHOTS, { recursive: true });
  full = await transcript(server, "Budget of the lighthouse");
  await speakAll();
  other = await enter(server, full);
  decorate();
  await other.saved();
  for (const title of ["Weekly", "Interview with Zoë", ""]) await transcript(server, title);
}, 300_000);
afterAll(async () => {
  await other?.close();
  if (SHOTS && Object.keys(audits).length === Object.keys(LOOKS).length) writeReport();
});

/** Puts what was found in the place of what stands in the report. */
function writeReport(): void {
  const path = join(ROOT, "docs/accessibility.md");
  const [begin, end] = ["<!-- axe:begin -->\n", "<!-- axe:end -->"];
  const [before, rest] = readFileSync(path, "utf8").split(begin);
  writeFileSync(path, `${before}${begin}${table(audits)}${end}${rest?.split(end)[1] ?? ""}`);
}

/** Speaks into the full transcript until all of the voice is written. */
async function speakAll(): Promise<void> {
  const { page } = await visit(browser, here(server, full), {
    ...LOOKS.day,
    permissions: ["microphone"],
  });
  await page.getByRole("button", { name: "Start speaking" }).click();
  await eventually(async () => expect(await read(page)).toContain("Thursday"));
  await page.locator(".partial").first().waitFor({ state: "attached" });
  await shot(page, "day", "speaking");
  await eventually(async () => expect(await read(page)).toContain("whether"), 60_000);
  await stop(page);
  await page.locator(".corrected").waitFor({ timeout: 60_000 });
  await page.context().close();
}

/** What people add: names, a highlight, comments, a tag, notes, a suggestion. */
function decorate(): void {
  const [first, second] = other.speakers;
  if (first) other.nameSpeaker(first.id, { name: "Ada" });
  if (second) other.nameSpeaker(second.id, { name: "Benjamin" });
  const [turn] = other.turns;
  if (!turn) throw new Error("a turn expected");
  const end = Math.min(turn.end, turn.start + 13);
  other.highlight(turn.start, end, "yellow");
  const comment = other.comment(turn.start, end, "Shall this stay in the minutes?", "Zoë");
  other.reply(comment, "Friendly, I would keep it.", "Ada");
  other.tag(turn.start + 4, end, "opening", "Ada");
  other.writeNotes("# Decisions\n\n- the **stairs** come first\n- drawings go out _tonight_\n");
  const last = other.turns.at(-1);
  const word = /\S+\s*$/.exec(last?.text ?? "")?.[0] ?? "";
  const before = (last?.text ?? "").slice(0, -word.length).trimEnd().slice(-20);
  other.doc.getMap("sug").set("a", {
    ...{ kind: "replace", text: ` ${word.trim()}`, alternative: " weather.", before, after: "" },
    ...{ words: ["1.3"], pass: "7", start_ms: 25_000, end_ms: 25_300 },
  });
}

async function shot(page: Page, look: string, state: string): Promise<void> {
  if (SHOTS) await page.screenshot({ path: join(SHOTS, `${look}-${state}.png`) });
}

test.each(SHOTS ? Object.keys(LOOKS) : ["day", "phone-night"])(
  "axe finds nothing serious in any state, %s",
  async (look) => {
    const options = { ...LOOKS[look], bypassCSP: true };
    const onPhone = look.startsWith("phone");
    const found: Record<string, unknown> = {};
    const states: Record<string, Audit> = {};
    audits[look] = states;
    const state = async (page: Page, name: string) => {
      await page.waitForTimeout(350); // what fades in is not to be looked at half faded
      const audited = await audit(page);
      states[name] = audited;
      if (grave(audited).length > 0) found[name] = grave(audited);
      await shot(page, look, name);
      const wide = await page.evaluate("document.documentElement.scrollWidth");
      expect(wide, name).toBeLessThanOrEqual(options.viewport?.width ?? 0);
    };
    const press = (page: Page, name: string | RegExp) =>
      page.getByRole("button", { name, exact: typeof name === "string" }).click();

    // Start page
    const { page, context } = await visit(browser, server.url, options);
    await page.getByLabel("Token").waitFor();
    await state(page, "token");
    await page.goto(server.entry);
    await page.locator(".row").nth(2).waitFor();
    await eventually(async () => expect(await page.locator(".voices").count()).toBeGreaterThan(0));
    await state(page, "start");
    await page.getByLabel("Search titles and words").fill("nowhere to be found");
    await page.getByText("Nothing found").waitFor();
    await state(page, "start-none-found");
    await page.getByLabel("Search titles and words").fill("weekly");
    await eventually(async () => expect(await page.locator(".row").count()).toBe(1));
    await state(page, "start-found");
    await page.getByLabel("Search titles and words").fill("");
    const files = page.locator("input[type=file]");
    await files.setInputFiles({
      name: "notes.wav",
      mimeType: "audio/wav",
      buffer: Buffer.from("no sound"),
    });
    await page.locator(".uploads .state").first().waitFor();
    await eventually(async () =>
      expect(await page.locator(".uploads").innerText()).not.toContain("Sending"),
    );
    await state(page, "start-upload-failed");
    await page.getByLabel("Search titles and words").blur();
    await files.setInputFiles(join(server.folder, "voice.wav"));
    await page.locator(".uploads li").nth(1).waitFor();
    await page.getByText("Sending").waitFor({ state: "detached" });
    await state(page, "start-upload");

    // An empty meeting
    const empty = await transcript(server, "");
    await page.goto(here(server, empty));
    await page.getByText("Press the microphone and speak").waitFor();
    await state(page, "empty");
    await press(page, "How it listens");
    await state(page, "settings");
    await press(page, "How it listens");
    await page.evaluate(() => {
      const deny = () => Promise.reject(new DOMException("no", "NotAllowedError"));
      navigator.mediaDevices.getUserMedia = deny;
    });
    await press(page, "Start speaking");
    await page.getByText("does not let this page use the microphone").waitFor();
    await state(page, "microphone-denied");

    // A full one
    await page.goto(here(server, full));
    await page.locator(".turn-time").first().waitFor();
    await state(page, "meeting");
    await press(page, "Search in this transcript");
    await page.getByPlaceholder("Search in this transcript").fill("the");
    await page.keyboard.press("Enter");
    await state(page, "find");
    await press(page, "Close");
    await press(page, "What is shown");
    await page.getByLabel("Mark doubtful words").check();
    await state(page, "view-menu");
    await page.keyboard.press("Escape");
    await press(page, "Take away");
    await state(page, "take-menu");
    await page.keyboard.press("Escape");
    await page.locator(".turn-name").first().click();
    await state(page, "speaker-menu");
    await page.keyboard.press("Escape");
    await press(page, "Share");
    await page.getByLabel("For whom").fill("Ada");
    await press(page, "Make a link");
    await page.getByText("Copy it now").waitFor();
    await state(page, "share");
    await press(page, "Close");
    await page.keyboard.press("F1");
    await page.getByRole("dialog").waitFor();
    await state(page, "keys");
    await press(page, "Close");
    await editor(page).press("Control+Home");
    for (let n = 0; n < 3; n++) await page.keyboard.press("Shift+Control+ArrowRight");
    await page.getByRole("toolbar").waitFor();
    await state(page, "selection");
    await page.getByRole("toolbar").getByRole("button", { name: "Comment" }).click();
    await state(page, "commenting");
    await page.keyboard.press("Escape");
    await press(page, "Hear again");
    await page.getByRole("dialog").waitFor();
    await state(page, "hear-again");
    await press(page, "Close");
    await editor(page).press("ArrowLeft");
    if (onPhone) await press(page, "Notes, comments, suggestions");
    await state(page, "notes");
    await page.getByRole("tab", { name: /Comments/ }).click();
    await state(page, "comments");
    await page.getByRole("tab", { name: /Suggestions/ }).click();
    await state(page, "suggestions");
    if (onPhone) await press(page, "Notes, comments, suggestions");
    await press(page, "Play");
    await page.locator(".heard-now").first().waitFor();
    await state(page, "playing");
    await press(page, "Pause");
    await page.goto("about:blank");
    await page.goto(`${server.url}#/t/no-such-transcript`);
    await page.getByText("There is no such transcript").waitFor();
    await state(page, "not-found");
    await context.close();

    const guest = await visit(browser, await link(server, full, "viewer"), options);
    await guest.page.locator(".turn-time").first().waitFor();
    await state(guest.page, "viewer");
    expect(problems.get(guest.page)).toEqual([]);
    await guest.context.close();

    const speaker = await visit(browser, here(server, await transcript(server, "Live")), {
      ...options,
      permissions: ["microphone"],
    });
    await press(speaker.page, "Start speaking");
    await speaker.page.locator(".partial").first().waitFor({ state: "attached", timeout: 20_000 });
    await state(speaker.page, "live");
    await press(speaker.page, "Mute");
    await state(speaker.page, "muted");
    await stop(speaker.page);
    expect(problems.get(speaker.page)).toEqual([]);
    await speaker.context.close();
    if (SHOTS) writeFileSync(join(SHOTS, `axe-${look}.json`), JSON.stringify(states, null, 2));
    expect(found).toEqual({});
  },
  180_000,
);
