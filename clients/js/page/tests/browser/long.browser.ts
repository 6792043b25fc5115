/** A recording longer than the server lets a session be. */

import { expect, test } from "vitest";
import { api, here, talk, transcript, visit } from "./server";
import { begin, eventually, recording, speak, stop } from "./stage";

const { server, browser } = await begin({ script: talk(60), env: { TRAX_SESSION_MS: "4000" } });

test("whoever speaks for longer than a session lasts notices nothing, and loses nothing", async () => {
  const id = await transcript(server, "A long day");
  const { page } = await visit(browser, here(server, id), { permissions: ["microphone"] });
  const recorded = await recording(page);
  await speak(page, "word2");
  const sessions = async () => {
    const details = await api<{ sessions: { duration_ms: number; live: boolean }[] }>(
      server,
      `v1/transcripts/${id}`,
    );
    return details.sessions;
  };
  await eventually(async () => expect((await sessions()).length).toBeGreaterThanOrEqual(3));
  expect(await page.getByRole("alert").count()).toBe(0);
  expect(await page.getByText("The connection was away").count()).toBe(0);
  await stop(page);
  await eventually(async () => expect((await sessions()).some(({ live }) => live)).toBe(false));
  const stored = (await sessions()).reduce((sum, { duration_ms }) => sum + duration_ms, 0);
  expect(stored).toBeGreaterThan((await recorded()) - 50);
  expect(stored).toBeLessThan((await recorded()) + 50);
  expect(await page.getByRole("alert").count()).toBe(0);
  await page.context().close();
});
