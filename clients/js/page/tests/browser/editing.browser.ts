/** Writing together: text, notes, turns, comments, and who is called how. */

import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { editor, here, read, standing, talk, transcript } from "./server";
import { begin, chooseAll, enter, eventually, looking, typed } from "./stage";

const { server, browser } = await begin({ script: talk(60) });
const look = looking(browser);

test("two people type into one transcript, see each other, and end equal", async () => {
  const id = await transcript(server, "Together");
  const [ada, bob] = [await look(here(server, id)), await look(here(server, id))];
  await ada.getByLabel("Your name, as others see it").fill("Ada");
  await bob.getByLabel("Your name, as others see it").fill("Bob");
  await typed(ada, "Good morning. ");
  await eventually(async () => expect(await read(bob)).toBe("Good morning."));
  await Promise.all([typed(ada, "from the left"), typed(bob, "from the right")]);
  await bob.locator(".caret-name", { hasText: "Ada" }).waitFor({ state: "attached" });
  await eventually(async () => {
    const seen = await read(ada);
    expect(await read(bob)).toBe(seen);
    expect(await standing(server, id)).toBe(seen);
    expect(seen).toHaveLength("Good morning. from the leftfrom the right".length);
  });
  const both = await standing(server, id);
  expect([...both].sort().join("")).toBe(
    [..."Good morning. from the leftfrom the right"].sort().join(""),
  );

  await ada.keyboard.press("Control+z");
  await eventually(async () => expect(await standing(server, id)).not.toContain("left"));
  expect(
    [...(await standing(server, id))].filter((c) => "from the right".includes(c)).length,
  ).toBeGreaterThan(10);
});

test("people see each other in the notes, and in one place at a time", async () => {
  const id = await transcript(server, "Notes");
  const [ada, bob] = [await look(here(server, id)), await look(here(server, id))];
  await ada.getByLabel("Your name, as others see it").fill("Ada");
  const notes = ada.locator(".notes .cm-content");
  const seen = (where: string) => bob.locator(`${where} .caret-name`, { hasText: "Ada" });
  await notes.click();
  await ada.keyboard.type("Agenda");
  await seen(".notes").waitFor();
  expect(await seen(".text").count()).toBe(0);
  await typed(ada, "spoken");
  await seen(".text").waitFor();
  await seen(".notes").waitFor({ state: "detached" });
  await notes.click();
  await seen(".notes").waitFor();
  await ada.getByRole("tab", { name: "Comments" }).click();
  await seen(".notes").waitFor({ state: "detached" });
  expect(await bob.locator(".notes .cm-content").innerText()).toContain("Agenda");
});

test("undo in the notes leaves the transcript alone, and the other way round", async () => {
  const id = await transcript(server, "Undo");
  const page = await look(here(server, id));
  const notes = page.locator(".notes .cm-content");
  await typed(page, "spoken");
  await notes.click();
  await page.keyboard.type("noted");
  await editor(page).click();
  await page.keyboard.press("Control+z");
  await eventually(async () => expect(await standing(server, id)).toBe(""));
  expect(await notes.innerText()).toBe("noted");
  await page.keyboard.press("Control+y");
  await eventually(async () => expect(await standing(server, id)).toBe("spoken"));
  await notes.click();
  await page.keyboard.press("Control+z");
  await eventually(async () => expect(await notes.innerText()).not.toContain("noted"));
  expect(await standing(server, id)).toBe("spoken");
});

test("undo takes back an edit of the text at once, and nothing of the side panel", async () => {
  const id = await transcript(server, "Undone");
  const page = await look(here(server, id));
  await typed(page, "one two three");
  await chooseAll(page);
  await page.getByRole("toolbar").getByRole("button", { name: "Comment" }).click();
  await page.getByLabel("Write a comment").fill("Which three?");
  await page.keyboard.press("Enter");
  const threads = page.locator(".thread");
  await threads.waitFor();
  await editor(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Control+Shift+ArrowLeft");
  await page.keyboard.press("Enter");
  await eventually(async () => expect(await standing(server, id)).toBe("one two \n"));
  await page.keyboard.press("Control+z");
  await eventually(async () => expect(await standing(server, id)).toBe("one two three"));
  await eventually(async () => {
    await page.keyboard.press("Control+z");
    expect(await standing(server, id)).toBe("");
  });
  expect(await threads.count()).toBe(1);
});

test("what is typed behind the line ends of other systems stands where it is seen", async () => {
  const id = await transcript(server, "Line ends");
  const other = await enter(server, id);
  const text = "one\r\ntwo\rand\r\nthree four five";
  const after = text.replace("five", "SIX");
  other.edit(() => other.text.insert(0, text));
  other.writeNotes(text);
  await other.saved();
  const page = await look(here(server, id));
  const notes = page.locator(".notes .cm-content");
  for (const [place, shared] of [
    [editor(page), other.text],
    [notes, other.notes],
  ] as const) {
    await place.getByText("three four five").waitFor();
    await place.click();
    await page.keyboard.press("Control+End");
    for (const _ of "five") await page.keyboard.press("Backspace");
    await page.keyboard.type("SIX");
    await eventually(async () => expect(shared.toString()).toBe(after));
    expect(await place.innerText()).toContain("three four SIX");
  }
  await notes.evaluate((element) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", "\r\npasted\rlines");
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
  });
  await eventually(async () => expect(other.notes.toString()).toBe(`${after}\npasted\nlines`));
  await other.close();
});

test("a comment that is being written stays when its words are replaced, and is about what stands there", async () => {
  const id = await transcript(server, "Half written");
  const other = await enter(server, id);
  other.insert(0, "one two three");
  await other.saved();
  const page = await look(here(server, id));
  await editor(page).getByText("one two three").waitFor();
  await editor(page).press("Control+End");
  await page.keyboard.press("Control+Shift+ArrowLeft");
  await page.getByRole("toolbar").getByRole("button", { name: "Comment" }).click();
  await page.keyboard.type("Not ");
  other.replace(8, 13, "four");
  await editor(page).getByText("one two four").waitFor();
  await page.keyboard.type("five?");
  await editor(page).click({ position: { x: 12, y: 50 } });
  await page.getByLabel("Language of this page").selectOption("de");
  const comment = page.getByLabel("Kommentar schreiben");
  expect(await comment.inputValue()).toBe("Not five?");
  await comment.press("Enter");
  await eventually(async () => {
    expect(other.comments.map(({ quote, text }) => [quote, text])).toEqual([["four", "Not five?"]]);
  });
  await other.close();
});

test("Enter begins a turn, and Backspace at its beginning joins it again", async () => {
  const id = await transcript(server, "Turns");
  const page = await look(here(server, id));
  await typed(page, "one two");
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await eventually(async () => expect(await standing(server, id)).toBe("one \ntwo"));
  await page.locator(".turn-name").nth(1).waitFor();
  await page.keyboard.press("Backspace");
  await eventually(async () => expect(await standing(server, id)).toBe("one two"));
});

test("the menu of a speaker stays with its turn, and follows who speaks there", async () => {
  const id = await transcript(server, "Who speaks");
  const other = await enter(server, id);
  const [ada, bob] = [other.addSpeaker({ name: "Ada" }), other.addSpeaker({ name: "Bob" })];
  other.splitTurn(0, ada);
  other.insert(1, "Hello.");
  other.splitTurn(7, bob);
  other.insert(8, "Good morning.");
  other.mergeSpeakers(bob, ada);
  const page = await look(here(server, id));
  const heads = page.locator(".turn-name");
  await heads.nth(1).click();
  const name = page.getByLabel("Name", { exact: true });
  const beside = async () => {
    const [head, menu] = [
      await heads.nth(1).boundingBox(),
      await page.locator(".popover").boundingBox(),
    ];
    expect(Math.abs((menu?.x ?? 0) - (head?.x ?? 0))).toBeLessThan(10);
    expect(Math.abs((menu?.y ?? 0) - (head?.y ?? 0) - (head?.height ?? 0))).toBeLessThan(10);
  };
  await beside();
  other.nameSpeaker(ada, { name: "Adele" });
  await heads.nth(1).filter({ hasText: "Adele" }).waitFor();
  await eventually(async () => expect(await name.inputValue()).toBe("Adele"));
  await beside();
  await page.getByRole("button", { name: "Not the same person: Bob" }).click();
  await eventually(async () => expect(await name.inputValue()).toBe("Bob"));
  await beside();
  await name.fill("Robert");
  await page.keyboard.press("Enter");
  await eventually(async () => {
    expect(other.turns.map((turn) => turn.name)).toEqual(["Adele", "Robert"]);
  });
  for (const [typed, leave, stands] of [
    ["Bert", () => page.locator(".swatch.voice-5").click(), "Bert"],
    ["Rob", () => page.getByLabel("Title").click(), "Rob"],
    ["Nobody", () => page.keyboard.press("Escape"), "Rob"],
  ] as const) {
    await heads.nth(1).click();
    await name.fill(typed);
    await leave();
    await page.locator(".popover").waitFor({ state: "detached" });
    await eventually(async () => expect(other.turns[1]?.name).toBe(stands));
  }
  await heads.nth(1).click();
  await page.locator(".popover").waitFor();
  other.joinTurns(other.turns[1]?.id ?? "");
  await page.locator(".popover").waitFor({ state: "detached" });
  await other.close();
});

test("who wrote in front of all turns can be named", async () => {
  const id = await transcript(server, "Typed");
  const other = await enter(server, id);
  const page = await look(here(server, id));
  await typed(page, "Welcome, all of you.");
  await page.locator(".turn-name", { hasText: "Somebody" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Moderator");
  await page.keyboard.press("Enter");
  await page.locator(".turn-name", { hasText: "Moderator" }).waitFor();
  await eventually(async () => {
    expect(other.turns.map(({ name, text }) => [name, text])).toEqual([
      ["Moderator", "Welcome, all of you."],
    ]);
  });
  await other.close();
});

test("arrow keys go from tab to tab of the side panel", async () => {
  const page = await look(here(server, await transcript(server, "Tabs")));
  const chosen = page.locator("[role=tab][aria-selected=true]");
  await page.getByRole("tab", { name: "Notes" }).focus();
  for (const [key, name] of [
    ["ArrowRight", "Comments"],
    ["End", "Suggestions"],
    ["ArrowRight", "Notes"],
    ["ArrowLeft", "Suggestions"],
    ["Home", "Notes"],
  ] as const) {
    await page.keyboard.press(key);
    expect(await chosen.innerText()).toBe(name);
    expect(await chosen.evaluate((tab) => tab === document.activeElement)).toBe(true);
  }
});

test("while words come, of the comments beside them only what is shown stays in memory", async () => {
  const id = await transcript(server, "Long");
  const other = await enter(server, id);
  other.insert(0, "one two three");
  for (let n = 0; n < 10; n++) other.comment(4, 7, `The ${n}. of them`, "Ada");
  const page = await look(here(server, id));
  await page.getByRole("tab", { name: "Comments 10" }).waitFor();
  for (let n = 0; n < 50; n++) {
    other.insert(0, `word${n} `);
    await editor(page).getByText(`word${n} `).waitFor();
  }
  expect(await kept(page, ["quote", "place"])).toBeLessThan(10 * 10);
  await other.close();
});

/** How many objects with these fields are in a page's memory. */
async function kept(page: Page, fields: readonly string[]): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("HeapProfiler.collectGarbage");
  const { result: prototype } = await devtools.send("Runtime.evaluate", {
    expression: "Object.prototype",
  });
  const { objects } = await devtools.send("Runtime.queryObjects", {
    prototypeObjectId: prototype.objectId ?? "",
  });
  const { result } = await devtools.send("Runtime.callFunctionOn", {
    objectId: objects.objectId,
    functionDeclaration: `function (...fields) {
      return this.filter((each) => fields.every((field) => Object.hasOwn(each, field))).length;
    }`,
    arguments: fields.map((value) => ({ value })),
    returnByValue: true,
  });
  return result.value;
}
