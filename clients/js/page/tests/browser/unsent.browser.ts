/** Speech that does not arrive at once, or not at all: none of it is lost without a word. */

import { readFileSync } from "node:fs";
import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { api, here, problems, TOKEN, talk, transcript, visit } from "./server";
import { begin, eventually, speak, stop } from "./stage";

interface Details {
  readonly sessions: readonly { live: boolean }[];
}

const { server, browser } = await begin({ script: talk(60), env: { TRAX_RESUME_MS: "500" } });

/** Of each session of a transcript, whether the server still waits for its client. */
async function live(id: string): Promise<boolean[]> {
  const { sessions } = await api<Details>(server, `v1/transcripts/${id}`);
  return sessions.map((session) => session.live);
}

async function opened(id: string): Promise<Page> {
  return (await visit(browser, here(server, id), { permissions: ["microphone"] })).page;
}

/** Has a page say something for two seconds that the server does not get. */
async function lose(page: Page): Promise<void> {
  await page.context().setOffline(true);
  await page.getByText("your audio is kept").waitFor();
  await page.waitForTimeout(2_000);
}

/** What the owner does to a transcript that is finished. */
async function close(id: string): Promise<void> {
  const answer = await fetch(`${server.url}v1/transcripts/${id}`, {
    method: "PATCH",
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify({ state: "closed" }),
  });
  expect(answer.status).toBe(200);
}

/** The size of the file that a page offers. */
async function saved(page: Page): Promise<number> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download the recording" }).click(),
  ]);
  return readFileSync(await download.path()).length;
}

const AWAY = "is sent when the server is back";
const TWO_SECONDS = 44 + 64_000;

test("whoever stops while the server is away may go on, and what was said is sent later", async () => {
  const id = await transcript(server, "Cellar");
  const page = await opened(id);
  await speak(page, "word2");
  await lose(page);
  const start = page.getByRole("button", { name: "Start speaking" });
  await stop(page);
  await page.getByText(AWAY).waitFor();
  await start.click();
  await page.getByText("The server cannot be reached").waitFor();
  await page.getByText(AWAY).waitFor();
  await eventually(async () => expect(await live(id)).toEqual([false]));
  await page.context().setOffline(false);
  await page.getByText(AWAY).waitFor({ state: "detached" });
  await eventually(async () => expect(await live(id)).toEqual([false, false]));
  await start.click();
  await page.getByText(/Listening|behind/).waitFor();
  await stop(page);
  expect(problems.get(page)).toEqual([]);
  await page.context().close();
});

test("what a closed transcript refuses can be saved, and all else is sent from the start page", async () => {
  const [open, closed] = [await transcript(server, "Open"), await transcript(server, "Closed")];
  const page = await opened(open);
  const context = page.context();
  const other = await context.newPage();
  await other.goto(here(server, closed));
  for (const each of [page, other]) await speak(each, "word2");
  for (const each of [page, other]) await lose(each);
  for (const each of [page, other]) await each.close();
  for (const id of [open, closed]) {
    await eventually(async () => expect(await live(id)).toEqual([false]));
  }
  await close(closed);
  await context.setOffline(false);
  const again = await context.newPage();
  await again.goto(server.entry);
  await again.getByText("could not be sent: This link does not allow that, or").waitFor();
  expect(await saved(again)).toBeGreaterThan(TWO_SECONDS);
  await eventually(async () => expect(await live(open)).toEqual([false, false]));
  expect(await live(closed)).toEqual([false]);
  await context.close();
});

/** The server comes back, and refuses: what was said is saved, and discarded then. */
async function saveAndDiscard(page: Page, id: string): Promise<Locator> {
  await eventually(async () => expect(await live(id)).toEqual([false]));
  await close(id);
  await page.context().setOffline(false);
  expect(await saved(page)).toBeGreaterThan(TWO_SECONDS);
  const discard = page.getByRole("button", { name: "Discard it" });
  await discard.click();
  expect(await discard.count()).toBe(0);
  return discard;
}

test("what is refused when the server is back can be saved at once, and is gone when it is discarded", async () => {
  const id = await transcript(server, "Late");
  const page = await opened(id);
  await speak(page, "word2");
  await lose(page);
  await stop(page);
  await page.getByText(AWAY).waitFor();
  const discard = await saveAndDiscard(page, id);
  await page.goto(server.entry);
  await page.getByRole("button", { name: "New meeting" }).waitFor();
  expect(await discard.count()).toBe(0);
  await page.context().close();
});

test("what a browser cannot keep can be saved, where it cannot be sent either", async () => {
  const id = await transcript(server, "Full");
  const page = await opened(id);
  await page.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("the disk is full", "QuotaExceededError");
    };
  });
  await speak(page, "word2");
  await page.getByText("This browser cannot keep audio").waitFor();
  await lose(page);
  await stop(page);
  await page.getByText("is kept in this page only").waitFor();
  await saveAndDiscard(page, id);
  await page.context().close();
});
