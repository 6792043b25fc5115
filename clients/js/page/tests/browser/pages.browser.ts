/** Start page, editing together, links, hostile texts, phones: with words from a script. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { afterEach, expect, test } from "vitest";
import {
  api,
  editor,
  here,
  link,
  problems,
  read,
  standing,
  TOKEN,
  talk,
  transcript,
  visit,
} from "./server";
import { begin, chooseAll, enter, eventually } from "./stage";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const EVIL = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`;

const { server, browser } = await begin({ script: talk(60) });
let open: Page[] = [];

afterEach(async () => {
  const found = open.flatMap((page) => problems.get(page) ?? []);
  for (const page of open) await page.context().close();
  open = [];
  expect(found).toEqual([]);
});

async function look(address: string, options = {}): Promise<Page> {
  const { page } = await visit(browser, address, options);
  open.push(page);
  return page;
}

async function typed(page: Page, text: string): Promise<void> {
  await editor(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(text);
}

test("the token leaves the address, and a meeting is made, named, listed and found", async () => {
  const page = await look(server.entry);
  await page.getByRole("button", { name: "New meeting" }).click();
  await editor(page).waitFor();
  expect(page.url()).not.toContain("token");
  await page.getByLabel("Title").fill("Budget of the lighthouse");
  await page.getByLabel("Title").press("Enter");
  await eventually(async () => expect(await page.title()).toContain("lighthouse"));
  await page.getByLabel("All transcripts").click();
  await page.getByLabel("Search titles and words").fill("lighthouse");
  await page.getByText("Budget of the lighthouse").waitFor();
  await page.getByLabel("Search titles and words").fill("nowhere to be found");
  await page.getByText("Nothing found").waitFor();
});

test("without a token the page asks for one, and says when it is wrong", async () => {
  const page = await look(server.url);
  await page.getByLabel("Token").fill("a-wrong-token-altogether");
  await page.getByRole("button", { name: "Enter" }).click();
  await page.getByText("does not know this token").waitFor();
});

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

test("who came by a viewer's link reads, and cannot write", async () => {
  const id = await transcript(server, "Read only");
  const writer = await look(here(server, id));
  await typed(writer, "For your eyes");
  const page = await look(await link(server, id, "viewer"));
  await page.getByText("this link does not allow changes").waitFor();
  await eventually(async () => expect(await editor(page).innerText()).toContain("For your eyes"));
  expect(await editor(page).getAttribute("contenteditable")).toBe("false");
  expect(await page.getByRole("button", { name: "Start speaking" }).count()).toBe(0);
  expect(await page.getByRole("button", { name: "Share" }).count()).toBe(0);
  await editor(page).click();
  await page.keyboard.type("graffiti");
  await typed(writer, " only");
  await eventually(async () => expect(await standing(server, id)).toBe("For your eyes only"));
  expect(await editor(page).innerText()).not.toContain("graffiti");
});

test("who came by an editor's link writes, and is sent away when the link ends", async () => {
  const id = await transcript(server, "By link");
  const page = await look(await link(server, id, "editor"));
  await typed(page, "By a guest");
  await eventually(async () => expect(await standing(server, id)).toBe("By a guest"));
  const { links } = await api<{ links: { id: string }[] }>(server, `v1/transcripts/${id}/links`);
  await fetch(`${server.url}v1/transcripts/${id}/links/${links[0]?.id}`, {
    method: "DELETE",
    headers: { Authorization: "Bearer token-of-the-browser-tests" },
  });
  await page.getByText("This link does not work any more").waitFor();
  await page.reload();
  await page.getByText("This link does not work any more").waitFor();
});

test("a link is made for a week, and says until when", async () => {
  const id = await transcript(server, "For a week");
  const page = await look(here(server, id));
  await page.getByRole("button", { name: "Share" }).click();
  await page.getByLabel("For whom").fill("Ada");
  await page.getByLabel("For how long").selectOption("for a week");
  await page.getByRole("button", { name: "Make a link" }).click();
  await page.locator(".links li", { hasText: "Ada" }).getByText("until").waitFor();
  type Links = { links: { expires_ms: number }[] };
  const { links } = await api<Links>(server, `v1/transcripts/${id}/links`);
  const days = ((links[0]?.expires_ms ?? 0) - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(6.9);
  expect(days).toBeLessThan(7.1);
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

test("names, text, notes, comments, tags and titles never run as script", async () => {
  const id = await transcript(server, EVIL);
  const page = await look(here(server, id));
  await page.getByLabel("Your name, as others see it").fill(EVIL);
  await typed(page, EVIL);
  await page.locator(".notes .cm-content").click();
  await page.keyboard.type(`# ${EVIL}\n[x](javascript:window.hacked=1)`);
  await chooseAll(page);
  await page.getByRole("toolbar").getByRole("button", { name: "Comment" }).click();
  await page.getByLabel("Write a comment").fill(EVIL);
  await page.keyboard.press("Enter");
  await page.locator(".thread").waitFor();
  await chooseAll(page);
  await page.getByRole("toolbar").getByRole("button", { name: "Tag" }).click();
  await page.getByLabel("Tag").fill(EVIL);
  await page.keyboard.press("Enter");
  await page.locator(".tags li").waitFor();
  await page.locator(".turn-name").first().click();
  await page.getByLabel("Name", { exact: true }).fill(EVIL);
  await page.keyboard.press("Enter");
  const other = await look(here(server, id));
  await other.getByRole("tab", { name: /Comments/ }).click();
  await other.locator(".thread").waitFor();
  await other.getByLabel("All transcripts").click();
  await other.locator(".row").first().waitFor();
  for (const each of [page, other]) {
    expect(await each.evaluate("window.hacked")).toBeUndefined();
    expect(await each.locator("img").count()).toBe(0);
  }
});

test("the page works on a phone, without scrolling sideways", async () => {
  const phone = { viewport: { width: 375, height: 667 }, hasTouch: true, isMobile: true };
  const page = await look(server.entry, phone);
  await page.locator(".row").first().waitFor();
  const wide = () => page.evaluate("document.documentElement.scrollWidth - innerWidth");
  expect(await wide()).toBe(0);
  await page.getByRole("button", { name: "New meeting" }).click();
  await editor(page).waitFor();
  expect(await wide()).toBe(0);
  for (const name of ["Share", "Take away"]) {
    const box = await page.getByRole("button", { name }).boundingBox();
    expect((box?.x ?? 999) + (box?.width ?? 999)).toBeLessThanOrEqual(375);
  }
  expect(await page.getByRole("button", { name: "Start speaking" }).isVisible()).toBe(true);
  await page.getByRole("button", { name: "Notes, comments, suggestions" }).click();
  await page.locator(".notes .cm-content").waitFor();
});

test.each([390, 360])("nothing leaves a phone %i px wide while others are here", async (width) => {
  const id = await transcript(server, "Zu viert auf dem Telefon mit einem langen Titel");
  const others = await Promise.all([1, 2, 3].map(() => enter(server, id)));
  for (const other of others) other.show({ name: "Bernadette", colour: "voice-1" });
  others[0]?.edit(() => others[0]?.splitTurn(0));
  others[0]?.insert(1, "Guten Morgen zusammen");
  const page = await look(here(server, id), {
    viewport: { width, height: 720 },
    hasTouch: true,
    isMobile: true,
    locale: "de-DE",
  });
  await page.locator(".avatar").nth(2).waitFor({ state: "attached" });
  await page.getByLabel("Dein Name, wie ihn andere sehen").fill("Maximiliane Mustermann");
  await page.getByText("Verbunden").waitFor();
  const inside = async (what: string) => {
    const boxes = await page
      .locator(what)
      .evaluateAll((all) =>
        all.map((each) => each.getBoundingClientRect()).filter((box) => box.width > 0),
      );
    expect(boxes.length, what).toBeGreaterThan(0);
    for (const { left, right } of boxes) {
      expect(left, what).toBeGreaterThanOrEqual(0);
      expect(right, what).toBeLessThanOrEqual(width);
    }
    expect(await page.evaluate("innerWidth"), what).toBe(width);
  };
  await inside(".tools > *, .tools button, .my-name");
  await editor(page).press("Control+A");
  await page.getByRole("toolbar").waitFor();
  await inside(".selection-bar, .selection-bar button");
  await page.locator(".turn-name").first().click();
  await page.locator(".popover").waitFor();
  await inside(".popover, .popover *");
  for (const other of others) await other.close();
});

test.each(["light", "dark"] as const)("axe finds nothing serious, %s", async (colorScheme) => {
  const id = await transcript(server, "For everybody");
  const page = await look(server.entry, { colorScheme, bypassCSP: true });
  await page.locator(".row").first().waitFor();
  const serious = async () => {
    await page.evaluate(AXE);
    const run =
      "axe.run().then((r) => r.violations.filter((v) => /serious|critical/.test(v.impact)).map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' ')))";
    return page.evaluate(run);
  };
  expect(await serious()).toEqual([]);
  await page.goto(here(server, id));
  await typed(page, "Words to be looked at");
  await page.locator(".turn-name").first().waitFor();
  await page.getByRole("button", { name: "How it listens" }).click();
  expect(await serious()).toEqual([]);
});

test("German is there from start to end", async () => {
  const page = await look(server.entry, { locale: "de-AT" });
  await page.getByRole("button", { name: "Neue Besprechung" }).click();
  await page.getByRole("button", { name: "Sprechen" }).waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
});

test("without a network it says so, and what was typed meanwhile arrives", async () => {
  const id = await transcript(server, "Offline");
  const page = await look(here(server, id));
  await typed(page, "before ");
  await eventually(async () => expect(await standing(server, id)).toBe("before "));
  await server.halt();
  await page.getByText("what you write is kept").waitFor();
  await page.keyboard.type("meanwhile");
  await server.restart();
  await eventually(async () => expect(await standing(server, id)).toBe("before meanwhile"));
  await page.getByText("Connected").waitFor();
});

test("a title that was typed without a network says so, and is sent when it is back", async () => {
  const id = await transcript(server, "Former");
  const page = await look(here(server, id));
  await page.getByText("Connected").waitFor();
  await server.halt();
  await page.getByLabel("Title", { exact: true }).fill("Latter");
  await page.keyboard.press("Enter");
  await page.getByText("Not saved yet").waitFor();
  await server.restart();
  await eventually(async () => {
    const { title } = await api<{ title: string }>(server, `v1/transcripts/${id}`);
    expect(title).toBe("Latter");
  });
  await page.getByText("Not saved yet").waitFor({ state: "detached" });
});

test("a closed transcript says that it is, and does not offer the microphone", async () => {
  const id = await transcript(server, "Closed");
  const page = await look(here(server, id));
  const microphone = page.getByRole("button", { name: "Start speaking" });
  await eventually(async () => expect(await microphone.isEnabled()).toBe(true));
  await fetch(`${server.url}v1/transcripts/${id}`, {
    method: "PATCH",
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify({ state: "closed" }),
  });
  await page.getByText("This transcript is closed").waitFor();
  expect(await microphone.isDisabled()).toBe(true);
});
