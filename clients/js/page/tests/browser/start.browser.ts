/** The list of transcripts while recordings are heard. */

import { expect, test } from "vitest";
import { api, transcript, visit } from "./server";
import { begin } from "./stage";

const { server, browser } = await begin();

test("how far recordings are heard is asked for at once, and only as long as some are", async () => {
  for (const title of ["One", "Two"]) await transcript(server, title);
  const { page } = await visit(browser, "about:blank");
  await page.clock.install();
  let job = { id: "j", kind: "upload", state: "running", progress: 420, error: null };
  let lists = 0;
  await page.route("**/v1/transcripts?*", async (route) => {
    lists += 1;
    const page = await api<{ transcripts: object[] }>(server, "v1/transcripts");
    const transcripts = page.transcripts.map((row) => ({ ...row, job }));
    await route.fulfill({ json: { ...page, transcripts } });
  });
  const others: string[] = [];
  page.on("request", (request) => request.url().includes("/jobs") && others.push(request.url()));
  await page.goto(server.entry);
  const state = page.locator(".row .state.running");
  await expect.poll(() => state.count()).toBe(2);
  expect(lists).toBe(1);

  job = { ...job, progress: 840 };
  await page.clock.runFor(3_000);
  await expect.poll(() => state.first().textContent()).toContain("84");
  expect(await state.last().textContent()).toContain("84");
  expect(lists).toBe(2);

  job = { ...job, state: "done" };
  await page.clock.runFor(3_000);
  await expect.poll(() => state.count()).toBe(0);
  await expect.poll(() => lists).toBe(4); // one tells that all is heard, one what came of it
  await page.clock.runFor(60_000);
  expect(lists).toBe(4);
  expect(others).toEqual([]);
  await page.context().close();
});
