/** Words that arrive while people edit, suggestions, a long document, what is selected, microphones that fail. */

import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { api, editor, here, problems, read, standing, talk, transcript, visit } from "./server";
import { begin, chooseAll, enter, eventually, humming, recording, speak, stop } from "./stage";

const { server, browser } = await begin(
  {
    script: talk(24),
    hours: 3,
    again: talk(24).map((each) => (each.word === "word3" ? { ...each, word: "better" } : each)),
  },
  humming(20),
);

test("two people edit while words arrive, nothing is lost, and all end equal", async () => {
  const id = await transcript(server, "Live");
  const permissions = ["microphone"];
  const { page: ada } = await visit(browser, here(server, id), { permissions });
  const { page: bob } = await visit(browser, here(server, id));
  await ada.getByRole("button", { name: "Start speaking" }).click();
  await eventually(async () => expect(await read(bob)).toContain("word4"));

  await place(ada, "word1");
  await ada.keyboard.type("ADA");
  await place(bob, "word3");
  await bob.keyboard.type("BOB");
  await eventually(async () => expect(await read(bob)).toContain("word14"));
  await stop(ada);

  await eventually(async () => {
    const seen = await read(ada);
    expect(await read(bob)).toBe(seen);
    expect((await standing(server, id)).replaceAll("\n", "")).toBe(seen.replaceAll("\n", ""));
  });
  const text = await read(ada);
  for (const each of ["ADA", "BOB"]) expect(text.split(each)).toHaveLength(2);
  for (let n = 0; n < 14; n++)
    expect(text.replace(/ADA|BOB/, "").match(new RegExp(`word${n}(?!\\d)`, "g"))).toHaveLength(1);
  for (const page of [ada, bob]) {
    expect(problems.get(page)).toEqual([]);
    await page.context().close();
  }
});

/** Sets the cursor behind a word. */
async function place(page: Page, word: string): Promise<void> {
  await page.evaluate((sought) => {
    const content = document.querySelector<HTMLElement>(".text .cm-content");
    content?.focus();
    const walk = document.createTreeWalker(content as Node, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const at = node.textContent?.search(new RegExp(`${sought}(?!\\d)`)) ?? -1;
      if (at >= 0) return getSelection()?.collapse(node, at + sought.length);
    }
    throw new Error(`${sought} is not there`);
  }, word);
}

test("what the machine corrected is marked, says what it was, and can be switched off", async () => {
  const id = await transcript(server, "Corrected");
  const { page } = await visit(browser, here(server, id), { permissions: ["microphone"] });
  await speak(page, "word5");
  await page.getByRole("button", { name: "Stop" }).click();
  const corrected = page.locator(".corrected");
  await corrected.waitFor({ timeout: 40_000 });
  expect(await corrected.allInnerTexts()).toEqual(["better"]);
  expect(await corrected.getAttribute("title")).toBe("was: word3");
  await page.getByRole("button", { name: "What is shown" }).click();
  await page.getByLabel("Mark what the machine corrected").uncheck();
  await corrected.waitFor({ state: "detached" });
  expect(problems.get(page)).toEqual([]);
  await page.context().close();
});

test("a server that is gone for a while costs nothing that was said, and the page says so", async () => {
  const id = await transcript(server, "Outage");
  const { page } = await visit(browser, here(server, id), { permissions: ["microphone"] });
  await speak(page, "word2");
  await server.halt();
  await page.getByText("your audio is kept").waitFor();
  await server.restart();
  await page.getByText(/Listening|behind/).waitFor({ timeout: 20_000 });
  await eventually(async () => expect(await read(page)).toContain("word12"));
  await stop(page);
  const text = await read(page);
  for (let n = 0; n < 12; n++)
    expect(text.match(new RegExp(`word${n}(?!\\d)`, "g"))).toHaveLength(1);
  expect(problems.get(page)).toEqual([]);
  await page.context().close();
});

test("a page that is closed while the server is away loses no speech", async () => {
  const id = await transcript(server, "Closed");
  const { page, context } = await visit(browser, here(server, id), { permissions: ["microphone"] });
  const recorded = await recording(page);
  await speak(page, "word1");
  await server.halt();
  await page.getByText("your audio is kept").waitFor();
  const before = await recorded();
  await eventually(async () => expect(await recorded()).toBeGreaterThan(before + 4_000));
  // What is recorded at the very end may not be written yet when the page is closed.
  const keptMs = (await recorded()) - 1_000;
  await page.close();
  await server.restart();
  const again = await context.newPage();
  await again.goto(here(server, id));
  const said = talk(24).filter(({ end }) => end * 1_000 < keptMs);
  expect(said.length).toBeGreaterThan(5);
  await eventually(async () => {
    const text = await read(again);
    for (const { word } of said) {
      const heard = word === "word3" ? "(word3|better)" : word;
      expect(text.match(new RegExp(`${heard}(?!\\d)`, "g")), word).toHaveLength(1);
    }
    const { sessions } = await api<{ sessions: { duration_ms: number }[] }>(
      server,
      `v1/transcripts/${id}`,
    );
    expect(sessions.reduce((sum, each) => sum + each.duration_ms, 0)).toBeGreaterThan(keptMs);
  });
  await context.close();
});

test("suggestions are shown, accepted and dismissed", async () => {
  const id = await transcript(server, "Suggestions");
  const other = await enter(server, id);
  other.insert(0, "we went to there house and saw the see");
  const suggestion = (text: string, alternative: string, before: string, after: string) => ({
    kind: "replace",
    text,
    alternative,
    before,
    after,
    words: ["1.3"],
    pass: "7",
    start_ms: 61_200,
    end_ms: 61_500,
  });
  other.doc
    .getMap("sug")
    .set("a", suggestion(" there", " their", "we went to", " house and saw the se"));
  other.doc.getMap("sug").set("b", suggestion(" see", " sea", " house and saw the", ""));
  await other.saved();
  const { page } = await visit(browser, here(server, id));
  await page.getByRole("tab", { name: /Suggestions\s*2/ }).click();
  expect(await page.locator(".suggested").allInnerTexts()).toEqual(["there", "see"]);
  if (process.env.TRAX_SHOTS)
    await page.screenshot({ path: join(process.env.TRAX_SHOTS, "suggestion.png") });
  await page.getByRole("button", { name: "Accept" }).first().click();
  await page.getByRole("tab", { name: /Suggestions\s*1/ }).waitFor();
  await page.getByRole("button", { name: "Dismiss" }).click();
  await page.getByText("No suggestions").waitFor();
  await eventually(async () =>
    expect(await standing(server, id)).toBe("we went to their house and saw the see"),
  );
  expect(other.doc.getMap("sugd").toJSON()).toEqual({ a: "accepted", b: "dismissed" });
  await other.close();
  expect(problems.get(page)).toEqual([]);
  await page.context().close();
});

test("three hours of speech are drawn where one looks, and heard at their end", async () => {
  const id = server.meeting;
  const other = await enter(server, id);
  const { length } = other.text;
  other.edit(() => {
    for (let n = 0; n < 200; n++) {
      const start = Math.floor((length * n) / 200) + 20;
      other.comment(start, start + 5, `Comment ${n}`, "Ada");
    }
  });
  await other.saved();
  const { page } = await visit(browser, server.entry);
  const asked: string[] = [];
  page.on("request", (request) => {
    const query = request.url().split("/words?")[1];
    if (query) asked.push(new URLSearchParams(query).get("cursor") ?? "all");
  });
  await page.evaluate((hash) => location.assign(hash), `#/t/${id}`);
  // Words have times, and what people did to them is there.
  await eventually(async () =>
    expect(await page.locator(".turn-time").first().innerText()).toBe("0:00"),
  );
  for (const mark of [".hl-yellow", ".commented", ".suggested"]) {
    await page.locator(`.text ${mark}`).first().waitFor();
  }
  await page.getByRole("tab", { name: /Comments\s*200/ }).waitFor();
  await page.getByRole("tab", { name: /Suggestions\s*200/ }).waitFor();
  const drawn = () => page.evaluate(() => document.querySelectorAll("*").length);
  expect(await drawn()).toBeLessThan(3_000);

  // Somebody types in the middle while words come at the end.
  const timer = setInterval(() => other.insert(other.text.length, " more"), 100);
  const scroller = page.locator(".text .cm-scroller");
  await scroller.evaluate((element) => {
    element.scrollTop = element.scrollHeight / 2;
  });
  await page.locator(".text .cm-line").nth(5).click();
  await page.keyboard.type("ZETA".repeat(10), { delay: 40 });
  clearInterval(timer);
  expect(await drawn()).toBeLessThan(3_000);
  await eventually(async () => {
    const text = other.text.toString();
    expect(text).toContain("ZETA".repeat(10));
    expect((await standing(server, id)).replaceAll("\n", "")).toBe(text.replaceAll("\n", ""));
  });
  // Words are asked for once, however often the text changes.
  const pages = [...asked];
  expect(new Set(pages).size).toBe(pages.length);
  expect(pages).toHaveLength(3);

  await eventually(async () => {
    await scroller.evaluate((element) => {
      element.scrollTop = element.scrollHeight;
    });
    await page.locator(".text .cm-line", { hasText: /more$/ }).last().waitFor({ timeout: 1_000 });
  });
  const times = page.locator(".text .turn-time");
  await eventually(async () => expect(await times.last().innerText()).toBe("2:59:54"));
  expect(await drawn()).toBeLessThan(3_000);
  const line = page.locator(".text .cm-line").last();
  const box = await line.boundingBox();
  await line.click({
    modifiers: ["Alt"],
    position: { x: 30, y: Math.min(12, (box?.height ?? 24) / 2) },
  });
  const slider = page.getByLabel("Position");
  await eventually(async () =>
    expect(Number(await slider.inputValue())).toBeGreaterThanOrEqual(10_794),
  );
  await other.close();
  expect(problems.get(page)).toEqual([]);
  await page.context().close();
});

test("that selected words have no time is said of these words only", async () => {
  const { page } = await visit(browser, here(server, server.meeting));
  await page.locator(".turn-time").first().waitFor();
  const choose = async (key: string) => {
    await editor(page).press(key);
    await page.keyboard.press("Control+Shift+ArrowLeft");
    await page.getByRole("toolbar").waitFor();
  };
  await editor(page).press("Control+End");
  await page.keyboard.type(" typed");
  await choose("Control+End");
  await page.getByRole("toolbar").getByRole("button", { name: "Hear again" }).click();
  const untimed = page.getByText("The selected words have no time");
  await untimed.waitFor();
  await editor(page).press("Control+End");
  await untimed.waitFor({ state: "detached" });
  await choose("Control+ArrowLeft");
  expect(await untimed.count()).toBe(0);
  expect(problems.get(page)).toEqual([]);
  await page.context().close();
});

test("what can be done with selected words leaves with Escape, and while one is elsewhere", async () => {
  const id = await transcript(server, "Selected");
  const { page } = await visit(browser, here(server, id));
  await editor(page).click();
  await page.keyboard.type("one two three");
  const bar = page.getByRole("toolbar");
  const gone = () => bar.waitFor({ state: "detached" });
  const selected = () => page.evaluate("String(getSelection())");
  await chooseAll(page);
  await page.keyboard.press("Escape");
  await gone();
  expect(await selected()).toBe("");
  await chooseAll(page);
  await bar.getByRole("button", { name: "Highlight: green" }).click();
  await page.locator(".hl-green").first().waitFor();
  await page.keyboard.press("Escape");
  await gone();
  expect(await selected()).toBe("");
  for (const elsewhere of ["Search in this transcript", "What is shown", "Take away"]) {
    await chooseAll(page);
    await page.getByRole("button", { name: elsewhere }).click();
    await gone();
    await page.keyboard.press("Escape");
  }
  await chooseAll(page);
  await page.locator(".notes .cm-content").click();
  await gone();
  await chooseAll(page);
  await bar.getByRole("button", { name: "Comment" }).click();
  await page.keyboard.press("Escape");
  await bar.waitFor();
  expect(problems.get(page)).toEqual([]);
  await page.context().close();
});

test("a microphone that is not allowed is explained", async () => {
  const id = await transcript(server, "Denied");
  const { page } = await visit(browser, here(server, id));
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () =>
      Promise.reject(new DOMException("no", "NotAllowedError"));
  });
  await page.getByRole("button", { name: "Start speaking" }).click();
  await page.getByText("does not let this page use the microphone").waitFor();
  expect(await page.getByRole("button", { name: "Start speaking" }).isEnabled()).toBe(true);
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () =>
      Promise.reject(new DOMException("no", "NotFoundError"));
  });
  await page.getByRole("button", { name: "Start speaking" }).click();
  await page.getByText("No microphone was found").waitFor();
  expect(await editor(page).count()).toBe(1);
  await page.context().close();
});

test("who leaves while the microphone starts is not heard", async () => {
  const id = await transcript(server, "Left");
  const { page } = await visit(browser, here(server, id), { permissions: ["microphone"] });
  await page.evaluate(() => {
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    const tracks: MediaStreamTrack[] = [];
    Object.assign(window, { tracks });
    mediaDevices.getUserMedia = async (wish) => {
      await new Promise((resolve) => setTimeout(resolve, 500)); // somebody is asked
      const stream = await ask(wish);
      tracks.push(...stream.getTracks());
      return stream;
    };
  });
  await page.getByRole("button", { name: "Start speaking" }).click();
  await page.evaluate("location.hash = '#/'");
  await page.getByRole("button", { name: "New meeting" }).waitFor();
  await eventually(async () => {
    expect(await page.evaluate("tracks.map((track) => track.readyState)")).toEqual(["ended"]);
  });
  expect(await standing(server, id)).toBe("");
  await page.context().close();
});

test("who is muted stays muted over a pause", async () => {
  const id = await transcript(server, "Muted");
  const { page } = await visit(browser, here(server, id), { permissions: ["microphone"] });
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  await press("Start speaking");
  await press("Mute");
  await press("Pause");
  await press("Go on");
  await page.getByRole("button", { name: "Unmute" }).waitFor();
  await stop(page);
  await page.context().close();
});
