/** Start page, links, hostile texts, phones, networks that are away: with words from a script. */

import { expect, test } from "vitest";
import { api, editor, here, link, standing, TOKEN, talk, transcript } from "./server";
import { begin, chooseAll, enter, eventually, looking, typed } from "./stage";

const EVIL = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`;

const { server, browser } = await begin({ script: talk(60) });
const look = looking(browser);

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

test("nothing that speaks or sends is fetched for a start page without unsent speech", async () => {
  const page = await look(server.entry);
  await page.getByRole("button", { name: "New meeting" }).waitFor();
  await page.waitForLoadState("networkidle");
  const files = () =>
    page.evaluate(() =>
      performance
        .getEntriesByType("resource")
        .map(({ name }) => name)
        .join(" "),
    );
  expect(await files()).toMatch(/index-.*\.js/);
  expect(await files()).not.toMatch(/(speech|MeetingPage)-/);
});

test("without a token the page asks for one, and says when it is wrong", async () => {
  const page = await look(server.url);
  await page.getByLabel("Token").fill("a-wrong-token-altogether");
  await page.getByRole("button", { name: "Enter" }).click();
  await page.getByText("does not know this token").waitFor();
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

test("a short meeting opens at its beginning, and a turn that one goes to shows its head", async () => {
  const id = await transcript(server, "From the beginning");
  const other = await enter(server, id);
  other.insert(0, "word ".repeat(60));
  for (let n = 4; n > 0; n--) other.splitTurn(n * 60);
  await other.saved();
  await other.close();
  const page = await look(here(server, id), { viewport: { width: 390, height: 720 } });
  const [scroller, head] = [page.locator(".text .cm-scroller"), page.locator(".turn-name").first()];
  const top = () => scroller.evaluate((element) => element.scrollTop);
  await head.waitFor();
  await page.waitForTimeout(500);
  expect(await top()).toBe(0);
  await page.setViewportSize({ width: 390, height: 560 });
  await editor(page).press("Control+End");
  await eventually(async () => expect(await top()).toBeGreaterThan(100));
  await editor(page).press("Control+Home");
  await eventually(async () => {
    const [seen, box] = [await scroller.boundingBox(), await head.boundingBox()];
    expect(box?.y ?? 0).toBeGreaterThanOrEqual(seen?.y ?? Number.POSITIVE_INFINITY);
  });
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
