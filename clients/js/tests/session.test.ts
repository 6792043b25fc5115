/** Sessions against a real server that crashes, behind a network that fails. */

import "fake-indexeddb/auto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { SessionState } from "../src/index.js";
import {
  connect,
  Folding,
  Library,
  NotFound,
  type NotKept,
  Overflow,
  pendingSessions,
  Refused,
  ServerUnreachable,
  Unauthorized,
} from "../src/index.js";
import { Network, recording, Server, said, samples, talk, until } from "./serving.js";
import { finished, heard, own, read, SOON, speak, WORDS } from "./speaking.js";

let server: Server;
beforeAll(async () => {
  server = await Server.start(talk(12));
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => server.stop());

test.each(["trax.v1.msgpack", "trax.v1.json"] as const)("speaks %s", async (subprotocol) => {
  const session = await connect(server.url, { ...own, subprotocol });
  const states: SessionState[] = [];
  session.on("state", (state) => states.push(state));
  const reading = read(session);
  await speak(session, samples(10));
  session.end();
  session.end();
  const [folding, events] = await reading;
  expect(heard(folding)).toEqual(WORDS);
  expect(folding.speakers).toEqual(["S1", "S2"]);
  expect(events.at(-1)).toMatchObject({ type: "done", audioMs: 10_000, words: 12 });
  expect(await session.finished).toBe(events.at(-1));
  expect(session.state).toBe("ended");
  expect(states.at(-1)).toBe("ended");
  expect(session.stats).toMatchObject({ takenMs: 10_000, acknowledgedMs: 10_000 });
  await expect(session.send(samples(1))).rejects.toThrow(RangeError);
});

test("listeners hear what came before they listened, and stop when they like", async () => {
  const session = await connect(server.url, own);
  await speak(session, samples(10));
  session.end();
  await session.finished;
  const types: string[] = [];
  const folding = new Folding();
  session.on("ready", ({ type }) => types.push(type));
  session.on("final", (event) => folding.apply(event));
  session.on("done", ({ type }) => types.push(type));
  const stop = session.on("stats", () => types.push("never"));
  stop();
  await until(() => types.includes("done"), "done");
  expect(types).toEqual(["ready", "done"]);
  expect(heard(folding)).toEqual(WORDS);
  expect((await read(session))[1]).toEqual([]);
});

test("a server that is killed and started again changes nothing that was heard", async () => {
  const session = await connect(server.url, own);
  const states: SessionState[] = [];
  session.on("state", (state) => states.push(state));
  const reading = read(session);
  let restarted: Promise<void> = Promise.resolve();
  await speak(session, samples(10), [
    160_000,
    () => {
      restarted = server.kill().then(() => server.launch());
    },
  ]);
  session.end();
  await restarted;
  const [folding, events] = await reading;
  expect(heard(folding)).toEqual(WORDS);
  const seqs = events.flatMap((event) => ("seq" in event ? [event.seq] : []));
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
  expect(events.at(-1)).toMatchObject({ type: "done", audioMs: 10_000 });
  expect(session.stats.reconnections).toBe(1);
  expect(states).toEqual(["live", "reconnecting", "live", "ended"]);
});

test("a network that fails again and again changes nothing that was heard", async () => {
  const network = await Network.before(server);
  const session = await connect(server.urlAt(network.port), own);
  const reading = read(session);
  const pcm = samples(10);
  for (let at = 0; at < pcm.length; at += 3_200) {
    if (at % 64_000 === 0) {
      network.cut();
      setTimeout(() => network.mend(), 60);
    }
    await session.send(pcm.subarray(at, at + 3_200));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  session.end();
  const [folding, events] = await reading;
  network.close();
  expect(heard(folding)).toEqual(WORDS);
  expect(events.at(-1)).toMatchObject({ type: "done", audioMs: 10_000 });
  expect(session.stats.reconnections).toBeGreaterThan(2);
});

test("a session whose server stays away ends, and says what may be lost", async () => {
  const network = await Network.before(server);
  const reconnect = { ...SOON, giveUpMs: 200 };
  const session = await connect(server.urlAt(network.port), { ...own, reconnect });
  network.close();
  await until(() => session.state === "reconnecting", "a loss");
  const sending = session.send(samples(60)); // more than there is credit for
  await Promise.all([
    expect(read(session)).rejects.toThrow("the connection was lost"),
    expect(sending).rejects.toThrow("60000 ms"),
  ]);
  await expect(session.finished).rejects.toThrow("the connection was lost");
  const saved = Buffer.from(await session.unsent().arrayBuffer());
  expect(saved.subarray(44).equals(samples(60))).toBe(true);
  for (const pending of await pendingSessions()) await pending.discard();
});

/** A session through a network, of a server that soon forgets who is away. */
async function withForgetful() {
  const forgetful = await Server.start(talk(24), { TRAX_RESUME_MS: "100" });
  onTestFinished(() => forgetful.stop());
  const network = await Network.before(forgetful);
  const session = await connect(forgetful.urlAt(network.port), { ...own, transcript: "new" });
  const library = new Library(forgetful.url);
  const id = session.transcript ?? "";
  return { forgetful, network, session, library, id };
}

test("an outage longer than the server keeps a session costs nothing that was said", async () => {
  const { network, session, library, id } = await withForgetful();
  const ready: string[] = [];
  session.on("ready", (told) => ready.push(told.session));
  const reading = read(session);
  const pcm = samples(20);
  await speak(session, pcm.subarray(0, 160_000));
  await until(() => session.stats.acknowledgedMs === 5_000, "all of it");
  network.cut();
  await session.send(pcm.subarray(160_000, 320_000));
  await finished(library, id);
  network.mend();
  await until(() => session.state === "live", "a new session");
  await speak(session, pcm.subarray(320_000));
  session.end();
  const [folding, events] = await reading;
  network.close();

  expect(ready).toHaveLength(2);
  expect(session.info).toMatchObject({ transcript: id, resumed: false });
  expect(session.stats).toMatchObject({ takenMs: 20_000, acknowledgedMs: 20_000 });
  expect(events.at(-1)).toMatchObject({ type: "done", audioMs: 15_000 });
  const seqs = events.flatMap((event) => ("seq" in event ? [event.seq] : []));
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
  // Each session hears the script from its beginning: 8 words in 5 s, the last of which the server may
  // have finished on its own, then 22 in 15 s that stand behind them.
  const script = (JSON.parse(talk(22)) as { word: string; start: number }[]).map(
    ({ word, start }) => [word, 1_000 * start] as const,
  );
  const told = folding.words.map(({ word }) => [word.text.trim(), word.startMs] as const);
  const behind = told.findIndex(([, startMs]) => startMs >= 5_000);
  expect(told.slice(0, behind)).toEqual(script.slice(0, behind));
  expect(told.slice(behind)).toEqual(script.map(([word, ms]) => [word, 5_000 + ms]));
  const stored = await library.words(id);
  expect(stored.map(({ words }) => words.length)).toEqual([8, 22]);
  const { sessions } = await library.get(id);
  expect(sessions).toHaveLength(2);
  expect(sessions.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBe(20_000);
  expect(await pendingSessions()).toEqual([]);
});

test("all of it is recorded once, whichever sessions a failing network makes of one", async () => {
  const { network, session, library, id } = await withForgetful();
  const pcm = samples(24);
  for (let at = 0; at < pcm.length; at += 128_000) {
    const before = session.stats.acknowledgedMs;
    await speak(session, pcm.subarray(at, at + 96_002));
    await until(() => session.stats.acknowledgedMs > before, "some of it");
    network.cut();
    session.send(pcm.subarray(at + 96_002, at + 128_000)).catch(() => undefined); // is told below
    if (at % 256_000 > 0) await finished(library, id);
    network.mend();
  }
  session.end();
  await session.finished;
  const { sessions } = await library.get(id);
  const files = sessions.map((each) =>
    library.audio(id, { session: each.id, fromMs: each.offsetMs, toMs: each.offsetMs + 60_000 }),
  );
  const sizes = (await Promise.all(files)).map(({ size }) => size - 44);
  expect(sizes.length).toBeGreaterThanOrEqual(4);
  // How much a session has is told in milliseconds, so less than one of them may come twice.
  const twice = sizes.reduce((sum, size) => sum + size) - pcm.length;
  expect(twice).toBeGreaterThanOrEqual(0);
  expect(twice).toBeLessThan(32 * sizes.length);
  network.close();
});

test("a recording longer than the server lets a session be is one to whoever listens", async () => {
  const short = await Server.start(talk(24), { TRAX_SESSION_MS: "8000" });
  onTestFinished(() => short.stop());
  const library = new Library(short.url);
  const session = await connect(short.url, { ...own, transcript: "new" });
  const states: SessionState[] = [];
  session.on("state", (state) => states.push(state));
  const ready: string[] = [];
  session.on("ready", (told) => ready.push(told.session));
  const reading = read(session);
  await speak(session, samples(20));
  session.end();
  const [folding, events] = await reading;

  expect(ready).toHaveLength(3);
  expect(states).toEqual(["live", "ended"]);
  expect(session.stats).toMatchObject({
    takenMs: 20_000,
    acknowledgedMs: 20_000,
    reconnections: 0,
  });
  expect(events.filter(({ type }) => type === "done")).toMatchObject([{ audioMs: 4_000 }]);
  const seqs = events.flatMap((event) => ("seq" in event ? [event.seq] : []));
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
  // Each session hears the script from its beginning: a word begun is heard.
  const starts = (JSON.parse(talk(24)) as { start: number }[]).map(({ start }) => 1_000 * start);
  const within = [8_000, 8_000, 4_000].flatMap((endMs, index) =>
    starts.filter((ms) => ms < endMs).map((ms) => 8_000 * index + ms),
  );
  expect(folding.words.map(({ word }) => word.startMs)).toEqual(within);
  const id = session.transcript ?? "";
  const { sessions } = await library.get(id);
  expect(sessions.map(({ durationMs }) => durationMs)).toEqual([8_000, 8_000, 4_000]);
  expect(await pendingSessions()).toEqual([]);
});

test("a next session that cannot be begun at once is begun as soon as it can", async () => {
  const short = await Server.start(talk(24), { TRAX_SESSION_MS: "4000" });
  onTestFinished(() => short.stop());
  let connections = 0;
  class Failing extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(++connections === 2 ? "ws://127.0.0.1:9/" : url, protocols);
    }
  }
  const session = await connect(short.url, { ...own, transcript: "new", WebSocket: Failing });
  const states: SessionState[] = [];
  session.on("state", (state) => states.push(state));
  await speak(session, samples(6));
  session.end();
  expect((await session.finished).audioMs).toBe(2_000);
  expect(states).toEqual(["live", "reconnecting", "live", "ended"]);
  const { sessions } = await new Library(short.url).get(session.transcript ?? "");
  expect(sessions.map(({ durationMs }) => durationMs)).toEqual([4_000, 2_000]);
});

test("no more audio than agreed waits for a server", async () => {
  const network = await Network.before(server);
  const session = await connect(server.urlAt(network.port), { ...own, keepMs: 60_000 });
  network.cut();
  await until(() => session.state === "reconnecting", "a loss");
  const taken = session.send(samples(60));
  await expect(session.send(samples(1))).rejects.toThrow(Overflow);
  network.mend();
  await taken;
  await session.send(samples(1));
  session.end();
  expect((await session.finished).audioMs).toBe(61_000);
  network.close();
});

test.each([
  ["has no room", () => vi.spyOn(IDBObjectStore.prototype, "put"), "QuotaExceededError"],
  ["does not open", () => vi.spyOn(indexedDB, "open"), "SecurityError"],
])("a browser whose store %s says so, and loses nothing while the page stays", async (...given) => {
  const [, spy, name] = given;
  spy().mockImplementation(() => {
    throw new DOMException("nothing is kept here", name);
  });
  const session = await connect(server.url, own);
  const told: NotKept[] = [];
  session.on("unkept", (error) => told.push(error));
  await speak(session, samples(10));
  session.end();
  expect((await session.finished).words).toBe(12);
  expect(told).toHaveLength(1);
  expect(told[0]?.cause).toMatchObject({ name });
  expect(await pendingSessions()).toEqual([]);
});

test("refusals are told apart, at once", async () => {
  const host = new URL(server.url).origin;
  await expect(connect(host, { ...own, token: "wrong" })).rejects.toThrow(Unauthorized);
  const wish = { ...own, lookaheadMs: 9_999 };
  const refused = connect(server.url, wish).catch((error) => error);
  expect(await refused).toBeInstanceOf(Refused);
  expect(await refused).toMatchObject({ code: "unsupported", expected: "0..5000" });
  await expect(connect(server.url, { ...own, transcript: "none" })).rejects.toThrow(NotFound);
  await expect(connect("http://127.0.0.1:9", own)).rejects.toThrow(ServerUnreachable);
  await expect(connect("ftp://example.org/?token=secret", own)).rejects.toThrow(/^a URL.*org\/"$/);
});

test("closing breaks off, and a signal does as well", async () => {
  const session = await connect(server.url, own);
  await session.close();
  expect(session.state).toBe("ended");
  await expect(session.finished).rejects.toThrow("broken off");
  expect(await pendingSessions()).toEqual([]);
  const stop = new AbortController();
  const other = await connect(server.url, { ...own, signal: stop.signal });
  stop.abort();
  await until(() => other.state === "ended", "an end");
  await expect(connect(server.url, { ...own, signal: stop.signal })).rejects.toThrow("abort");
});

test("a signal breaks off at once, also where nobody answers", async () => {
  const stop = new AbortController();
  const mute = createServer(() => stop.abort());
  mute.listen(0, "127.0.0.1");
  await once(mute, "listening");
  const { port } = mute.address() as AddressInfo;
  const reconnect = { handshakeMs: 3_600_000 };
  const connecting = connect(server.urlAt(port), { WebSocket, reconnect, signal: stop.signal });
  await expect(connecting).rejects.toThrow("abort");
  mute.close();
});

test("real speech gives the right words", { timeout: 120_000 }, async () => {
  const listening = await Server.start(null);
  try {
    const session = await connect(listening.url, { WebSocket, language: "en" });
    const reading = read(session);
    await speak(session, recording("jfk"));
    session.end();
    const [folding] = await reading;
    const plain = (text: string) =>
      text
        .toLowerCase()
        .replace(/[^a-z ]/g, "")
        .trim();
    expect(plain(folding.text)).toBe(plain(said("jfk")));
  } finally {
    await listening.stop();
  }
});
