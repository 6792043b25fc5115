/** Networks that fail amid speaking, microphones that do, and people who may not do what they try. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Page } from "playwright-core";
import { connect } from "trax-client";
import { openTranscript } from "trax-client/transcript";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import {
  api,
  editor,
  here,
  link,
  problems,
  standing,
  TOKEN,
  talk,
  transcript,
  visit,
} from "./server";
import { begin, ended, eventually, recording, speak, stop, tone } from "./stage";

interface Details {
  readonly started_ms: number;
  readonly sessions: readonly {
    id: string;
    offset_ms: number;
    duration_ms: number;
    live: boolean;
  }[];
}

const { server, browser } = await begin({ script: talk(60), env: { TRAX_RESUME_MS: "500" } });

const details = (id: string) => api<Details>(server, `v1/transcripts/${id}`);

/** How much sound of a session the server has. */
async function soundMs(id: string, session: Details["sessions"][number]): Promise<number> {
  const from = { session: session.id, from_ms: `${session.offset_ms}`, token: TOKEN };
  const answer = await fetch(
    `${server.url}v1/transcripts/${id}/audio?${new URLSearchParams(from)}`,
  );
  return ((await answer.arrayBuffer()).byteLength - 44) / 32;
}

async function speaking(id: string): Promise<Page> {
  const { page } = await visit(browser, here(server, id), { permissions: ["microphone"] });
  await speak(page, "word2");
  return page;
}

/** Somebody speaks, and loses the network: `recorded` milliseconds by now, of which `before` then. */
async function cutOff(id: string) {
  const { page } = await visit(browser, here(server, id), { permissions: ["microphone"] });
  const recorded = await recording(page);
  await speak(page, "word2");
  await page.context().setOffline(true);
  await page.getByText("your audio is kept").waitFor();
  return { page, recorded, before: await recorded() };
}

test("a network that is away for longer than the server waits costs nothing that was said", async () => {
  const id = await transcript(server, "Tunnel");
  const { page, recorded, before } = await cutOff(id);
  await eventually(async () => expect(await recorded()).toBeGreaterThan(before + 6_000));
  await eventually(async () => expect((await details(id)).sessions[0]?.live).toBe(false));
  await page.context().setOffline(false);
  await page.getByText("The connection was away for long").waitFor({ timeout: 30_000 });
  await page.getByText(/Listening|behind/).waitFor();
  await stop(page);
  const { sessions } = await details(id);
  expect(sessions).toHaveLength(2);
  const [first, second] = sessions;
  if (!first || !second) throw new Error("two sessions expected");
  // All that was recorded is in one of them; what is silent may be in both.
  const keptMs = (await soundMs(id, first)) + (await soundMs(id, second));
  expect(keptMs).toBeGreaterThan((await recorded()) - 50);
  expect(keptMs).toBeLessThan((await recorded()) + 1_000);
  // The second begins where the first ended, not where the network came back.
  const gapMs = second.offset_ms - first.offset_ms - first.duration_ms;
  expect(Math.abs(gapMs)).toBeLessThan(3_000);
  expect(problems.get(page)).toEqual([]);
  await page.context().close();
});

test("leaving asks as long as the server does not have all that was said, and not after", async () => {
  const id = await transcript(server, "Leaving");
  const { page, recorded, before } = await cutOff(id);
  await eventually(async () => expect(await recorded()).toBeGreaterThan(before + 500));
  const asked = page.waitForEvent("dialog");
  await page.close({ runBeforeUnload: true });
  const dialog = await asked;
  expect(dialog.type()).toBe("beforeunload");
  await dialog.dismiss();
  await page.context().setOffline(false);
  // Who stops while the server is away does not wait for it, and is asked for longer.
  await page.getByText(/Listening|behind/).waitFor();
  await stop(page);
  await eventually(async () => {
    expect((await details(id)).sessions.map(({ live }) => live)).not.toContain(true);
  });
  let more = 0;
  page.on("dialog", (another) => {
    more += 1;
    void another.accept();
  });
  const closed = page.waitForEvent("close");
  await page.close({ runBeforeUnload: true });
  await closed;
  expect(more).toBe(0);
  await page.context().close();
});

test("the screen stays on while somebody speaks, also after the page was out of sight", async () => {
  const id = await transcript(server, "Awake");
  const { page } = await visit(browser, here(server, id), { permissions: ["microphone"] });
  await page.evaluate(() => {
    const locks = { asked: 0, held: 0 };
    Object.assign(window, { locks });
    navigator.wakeLock.request = async () => {
      locks.asked += 1;
      locks.held += 1;
      const release = async () => {
        locks.held -= 1;
      };
      return { release } as WakeLockSentinel;
    };
  });
  const locks = () => page.evaluate("locks");
  await speak(page, "word1");
  expect(await locks()).toEqual({ asked: 1, held: 1 });
  await page.evaluate(() => {
    Object.assign((window as unknown as { locks: object }).locks, { held: 0 }); // as hiding it does
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await eventually(async () => expect(await locks()).toEqual({ asked: 2, held: 1 }));
  await stop(page);
  expect(await locks()).toEqual({ asked: 2, held: 0 });
  await page.context().close();
});

test("speech for a transcript that was deleted meanwhile can be saved as a file", async () => {
  const id = await transcript(server, "Deleted");
  const page = await speaking(id);
  await page.context().setOffline(true);
  await page.getByText("your audio is kept").waitFor();
  await page.waitForTimeout(2_000); // so much is said meanwhile
  const context = page.context();
  await page.close();
  await fetch(`${server.url}v1/transcripts/${id}`, {
    method: "DELETE",
    headers: { Authorization: `Bearer ${new URL(server.entry).searchParams.get("token")}` },
  });
  await context.setOffline(false);
  const again = await context.newPage();
  await again.goto(server.entry);
  const [download] = await Promise.all([
    again.waitForEvent("download"),
    again.getByRole("button", { name: "Download the recording" }).click(),
  ]);
  const wav = readFileSync(await download.path());
  expect(wav.subarray(0, 4).toString()).toBe("RIFF");
  expect(wav.length).toBeGreaterThan(44 + 32_000);
  await again.getByRole("button", { name: "Discard it" }).click();
  await again.reload();
  await again.getByRole("button", { name: "New meeting" }).waitFor();
  expect(await again.getByRole("button", { name: "Discard it" }).count()).toBe(0);
  await context.close();
});

test("a microphone that is unplugged ends the recording, and what was said stands", async () => {
  const id = await transcript(server, "Unplugged");
  const { page } = await visit(browser, here(server, id), { permissions: ["microphone"] });
  await page.evaluate(() => {
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wish) => {
      const stream = await ask(wish);
      const [track] = stream.getTracks();
      Object.assign(window, { unplug: () => track?.dispatchEvent(new Event("ended")) });
      return stream;
    };
  });
  await speak(page, "word2");
  await page.evaluate("unplug()");
  await page.getByText("The microphone was unplugged").waitFor();
  await ended(page);
  expect(await standing(server, id)).toContain("word2");
  await page.context().close();
});

test("a microphone without a signal is explained, and the recording goes on", async () => {
  const id = await transcript(server, "Silent");
  const { page } = await visit(browser, here(server, id), { permissions: ["microphone"] });
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = async () =>
      new AudioContext().createMediaStreamDestination().stream;
  });
  await page.getByRole("button", { name: "Start speaking" }).click();
  await page.getByText("Nothing is heard").waitFor({ timeout: 20_000 });
  expect(await page.getByRole("button", { name: "Stop" }).isEnabled()).toBe(true);
  await stop(page);
  await page.context().close();
});

test("a recording that is uploaded tells how far it is, and becomes a transcript", async () => {
  const { page } = await visit(browser, server.entry);
  let send = () => {};
  const held = new Promise<void>((resolve) => {
    send = resolve;
  });
  await page.route("**/audio**", async (route) => {
    await held;
    await route.continue();
  });
  await page
    .locator("input[type=file]")
    .setInputFiles({ name: "Walk.wav", mimeType: "audio/wav", buffer: tone(3) });
  await page.getByText("Walk", { exact: true }).first().waitFor();
  await page.getByText("Sending").waitFor();
  expect(await page.getByText("has not arrived").count()).toBe(0);
  send();
  await page
    .getByText(/Sending|Waits|Being|Done/)
    .first()
    .waitFor();
  await page.locator(".row", { hasText: "Walk" }).getByText("0:03").waitFor();
  await page.getByRole("link", { name: /^Walk/ }).first().click();
  await editor(page).waitFor();
  await page.context().close();
});

test("a part of the page that cannot be fetched says so, and is fetched at another try", async () => {
  const id = await transcript(server, "Missing");
  const { page } = await visit(browser, here(server, id), { locale: "de-AT" });
  await editor(page).waitFor();
  const away = "**/assets/KeyHelp-*.js";
  await page.route(away, (route) => route.abort());
  await page.getByRole("button", { name: "Hilfe zur Tastatur" }).click();
  const missing = page.getByRole("dialog", { name: "Dieser Teil der Seite konnte nicht" });
  await missing.waitFor();
  await missing.getByRole("button", { name: "Noch einmal" }).click();
  await missing.getByRole("button", { name: "Schließen" }).click();
  await editor(page).click();
  await page.keyboard.type("weiter");
  await eventually(async () => expect(await standing(server, id)).toBe("weiter"));
  await page.unroute(away);
  await page.getByRole("button", { name: "Hilfe zur Tastatur" }).click();
  await page.getByRole("dialog", { name: "Tastatur" }).waitFor();
  await page.context().close();
});

test("a microphone whose part of the page cannot be fetched says so, and speaks at another try", async () => {
  const id = await transcript(server, "Mute");
  const away = "**/assets/speech-*.js";
  const { page, context } = await visit(browser, "about:blank", { permissions: ["microphone"] });
  await page.route(away, (route) => route.abort());
  await page.goto(here(server, id));
  await editor(page).waitFor();
  await page.getByRole("button", { name: "Start speaking" }).click();
  await page.getByRole("alert").getByText("could not be fetched").waitFor();
  await page.unroute(away);
  await speak(page, "word1");
  await context.close();
});

test("a meeting whose page cannot be fetched opens at another try", async () => {
  const id = await transcript(server, "Later");
  const { page } = await visit(browser, server.entry);
  const away = "**/assets/MeetingPage-*.js";
  await page.route(away, (route) => route.abort());
  await page.getByRole("link", { name: /^Later/ }).click();
  const problem = page.getByRole("alert").filter({ hasText: "could not be fetched" });
  await problem.waitFor();
  await page.unroute(away);
  await problem.getByRole("button", { name: "Try again" }).click();
  await editor(page).waitFor();
  expect(await page.evaluate("location.hash")).toContain(id);
  await page.context().close();
});

test("all of it works below a path of a proxy", async () => {
  const id = await transcript(server, "Below");
  const proxy = await below("/some/path/", server.url);
  const token = new URL(server.entry).search;
  const permissions = ["microphone"];
  const { page } = await visit(browser, `${proxy.url}${token}#/t/${id}`, { permissions });
  await speak(page, "word2");
  await stop(page);
  await page.getByLabel("All transcripts").click();
  await page.getByText("Below", { exact: true }).first().waitFor();
  expect(proxy.strays).toEqual([]);
  expect(problems.get(page)).toEqual([]);
  await page.context().close();
  proxy.close();
});

test("who came by a viewer's link changes nothing past the page either", async () => {
  const id = await transcript(server, "Read only");
  const token = new URL(await link(server, id, "viewer")).searchParams.get("token");
  const options = { token, WebSocket: WebSocket as never };
  const other = await openTranscript(server.url, id, options);
  const denied = new Promise((resolve) => other.on("denied", resolve));
  other.insert(0, "MINE");
  await denied;
  await other.close();
  const speaking = connect(server.url, { ...options, transcript: id });
  await expect(speaking).rejects.toMatchObject({ code: "forbidden" });
  expect(await standing(server, id)).toBe("");
});

/** A reverse proxy that shows a server below a path; `strays` are requests that missed it. */
async function below(path: string, target: string) {
  const { hostname, port } = new URL(target);
  const strays: string[] = [];
  const forward = (from: IncomingMessage) => {
    if (!from.url?.startsWith(path)) strays.push(from.url ?? "");
    const rest = `/${from.url?.slice(path.length) ?? ""}`;
    return request({ hostname, port, path: rest, method: from.method, headers: from.headers });
  };
  const proxy = createServer((from, to) => {
    const asked = forward(from);
    asked.on("response", (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    from.pipe(asked);
  });
  proxy.on("upgrade", (from: IncomingMessage, near: Socket) => {
    const asked = forward(from);
    asked.on("upgrade", (answer, far) => {
      const { rawHeaders } = answer;
      const lines = rawHeaders.flatMap((name, at) =>
        at % 2 ? [] : `${name}: ${rawHeaders[at + 1]}`,
      );
      near.write(["HTTP/1.1 101 Switching Protocols", ...lines, "", ""].join("\r\n"));
      near.pipe(far).pipe(near);
      for (const end of [near, far]) end.on("error", () => undefined);
    });
    asked.on("error", () => near.destroy());
    asked.end();
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${path}`;
  return { url, strays, close: () => proxy.close() };
}
