/** What pages leave behind when they are closed: sent by the next one, or offered as a file. */

import "fake-indexeddb/auto";
import { once } from "node:events";
import { openDB } from "idb";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { WebSocket } from "ws";
import {
  connect,
  EventsMissed,
  Forbidden,
  keepsSessions,
  Library,
  type PendingSession,
  pendingSessions,
  resumePending,
  type Session,
  SessionGone,
  SessionTaken,
} from "../src/index.js";
import type { SocketClass } from "../src/sockets.js";
import { Network, Server, samples, talk, until } from "./serving.js";
import { finished, heard, own, read, speak, WORDS } from "./speaking.js";

/** The locks of a browser, all of whose pages run here. */
class Locks {
  private readonly holders = new Map<string, object>();

  async query(): Promise<{ held: { name: string }[] }> {
    return { held: [...this.holders.keys()].map((name) => ({ name })) };
  }

  async request(name: string, _: object, hold: (lock: object | null) => unknown): Promise<void> {
    const lock = {};
    const free = !this.holders.has(name);
    if (free) this.holders.set(name, lock);
    await hold(free ? lock : null);
    if (this.holders.get(name) === lock) this.holders.delete(name);
  }

  /** All pages are closed. */
  leave(): void {
    this.holders.clear();
  }
}

let server: Server;
/** Knows no session any more that has been without a client for a moment. */
let forgetful: Server;
let network: Network;
let locks: Locks;
beforeAll(async () => {
  server = await Server.start(talk(12));
  forgetful = await Server.start(talk(24), { TRAX_RESUME_MS: "100" });
});
afterAll(async () => {
  await server.stop();
  await forgetful.stop();
});
beforeEach(() => {
  locks = new Locks();
  vi.stubGlobal("navigator", { locks });
});
afterEach(async () => {
  network?.close();
  locks.leave();
  for (const pending of await pendingSessions()) await pending.discard();
  vi.unstubAllGlobals();
});

/** Sockets to a server that go through the network before it. */
function through({ port }: Network): SocketClass {
  return class extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(Object.assign(new URL(url), { port }), protocols);
    }
  };
}

/** Speaks 10 s and leaves as a page does, without a word; the last 5 s did not arrive. */
async function leave(of: Server, transcript: string | null = null): Promise<Session> {
  network = await Network.before(of);
  const session = await connect(of.url, { ...own, transcript, WebSocket: through(network) });
  await speak(session, samples(10).subarray(0, 160_000));
  await until(() => session.stats.acknowledgedMs === 5_000, "5 s");
  network.cut();
  await until(() => session.state === "reconnecting", "a loss");
  await session.send(samples(10).subarray(160_000));
  session.end();
  let written = false;
  await until(() => {
    locks.leave();
    void pendingSessions().then((left) => {
      written = left.some((each) => each.session === session.info.session && each.ended);
    });
    return written;
  }, "all of it written");
  return session;
}

async function only(): Promise<PendingSession> {
  const [pending, ...others] = await pendingSessions();
  if (pending === undefined || others.length > 0) throw new Error("one session expected");
  return pending;
}

async function pcm(pending: PendingSession): Promise<Buffer> {
  const file = Buffer.from(await (await pending.audio()).arrayBuffer());
  expect(file.subarray(0, 4).toString()).toBe("RIFF");
  return file.subarray(44);
}

test("the next page finds the session again, and all that was said in it", async () => {
  expect(await keepsSessions()).toBe(false);
  await leave(server);
  expect(await keepsSessions()).toBe(true);
  expect(await only()).toMatchObject({ transcript: null });
  const resumed = await resumePending(server.url, own);
  if (resumed === null) throw new Error("a session expected");
  const [folding, events] = await read(resumed);
  expect(heard(folding)).toEqual(WORDS);
  expect(events.at(-1)).toMatchObject({ type: "done", audioMs: 10_000 });
  expect(await pendingSessions()).toEqual([]);
  expect(await keepsSessions()).toBe(false);
});

test("a server is not sent what was left for another one of its origin", async () => {
  await leave(server);
  const { session } = await only();
  const at = new URL(server.url);
  const sessions = async (url: string | URL) =>
    (await pendingSessions(url)).map((pending) => pending.session);
  expect(await sessions(at)).toEqual([session]);
  expect(await sessions(new URL(`/b/${at.search}`, at))).toEqual([]);
  expect(await resumePending(new URL(`/b/${at.search}`, at), own)).toBeNull();
});

test("what was kept when servers had no names may be any one's, until one has it", async () => {
  const left = await leave(server);
  const store = await openDB("trax-client");
  onTestFinished(() => store.close());
  const record = () => store.get("sessions", left.info.session);
  const { server: at, ...unnamed } = await record();
  await store.put("sessions", unnamed);
  expect((await pendingSessions(forgetful.url)).map((pending) => pending.server)).toEqual([null]);
  const resumed = await resumePending(server.url, own);
  await until(() => resumed?.stats.acknowledgedMs === 10_000, "all of it");
  expect(resumed?.info.session).toBe(left.info.session);
  await resumed?.finished;
  expect(await pendingSessions()).toEqual([]);
  expect(at).toBe(new URL("/", server.url).href);
});

test("there is the audio where the server does not know the session any more", async () => {
  await leave(forgetful);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await resumePending(forgetful.url, own)).toBeNull();
  const pending = await only();
  await expect(pending.resume(forgetful.url, own)).rejects.toThrow(SessionGone);
  expect((await pcm(pending)).equals(samples(10).subarray(160_000))).toBe(true);
  await pending.discard();
  expect(await pendingSessions()).toEqual([]);
});

test("what one transcript refuses stays, and keeps nothing else from being sent", async () => {
  const library = new Library(forgetful.url);
  const [open, closed] = [(await library.create()).id, (await library.create()).id];
  await leave(forgetful, open);
  await leave(forgetful, closed); // the newest: tried first
  for (const id of [open, closed]) await finished(library, id);
  await library.change(closed, { state: "closed" });

  const resumed = await resumePending(forgetful.url, own);
  expect(resumed?.transcript).toBe(open);
  await resumed?.finished;
  const pending = await only();
  expect(pending.transcript).toBe(closed);
  await expect(pending.send(forgetful.url, own)).rejects.toThrow(Forbidden);
  expect((await pcm(await only())).equals(samples(10).subarray(160_000))).toBe(true);
});

test("what follows a session that the page had ended goes on in another one", async () => {
  const library = new Library(server.url);
  const { id } = await library.create();
  const left = await leave(server, id);
  // As before it begins the next one: this one was full.
  const { session, token } = left.info;
  const url = server.url.replace(/^http(.*)\/\?/, "ws$1/v1/stream?");
  const socket = new WebSocket(url, "trax.v1.json");
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "start", resume: { session, token, after: 0 } }));
  await once(socket, "message"); // ready
  socket.send(JSON.stringify({ type: "end" }));
  await once(socket, "close");

  const pending = await only();
  await pending.send(server.url, own);
  const { sessions } = await library.get(id);
  expect(sessions.map(({ durationMs }) => durationMs)).toEqual([5_000, 5_000]);
  expect(await pendingSessions()).toEqual([]);
});

/** Speaks `bytes` that all arrive, and loses the network; nobody has said that nothing follows. */
async function arrived(bytes: number): Promise<[Library, Session]> {
  network = await Network.before(forgetful);
  const session = await connect(forgetful.urlAt(network.port), { ...own, transcript: "new" });
  await speak(session, samples(10).subarray(0, bytes));
  await until(() => session.stats.acknowledgedMs === session.stats.takenMs, "all of it");
  network.cut();
  const library = new Library(forgetful.url);
  await finished(library, session.transcript ?? "");
  return [library, session];
}

test("nothing is begun for a session of which the server has everything", async () => {
  const [library, session] = await arrived(96_000);
  locks.leave();
  await (await only()).send(forgetful.url, own);
  expect((await library.get(session.transcript ?? "")).sessions).toHaveLength(1);
  expect(await pendingSessions()).toEqual([]);
});

test("whoever missed the end of a session of which the server has everything is told so", async () => {
  const [library, session] = await arrived(96_014); // seven samples over, of which HTTP tells nothing
  session.end();
  network.mend();
  await expect(session.finished).rejects.toThrow(EventsMissed);
  expect((await library.get(session.transcript ?? "")).sessions).toHaveLength(1);
  expect(await pendingSessions()).toEqual([]);
});

test("one page only goes on with what was left", async () => {
  await leave(server);
  const pending = await only();
  const [one, other] = await Promise.allSettled([
    pending.send(server.url, own),
    pending.send(server.url, own),
  ]);
  expect(one.status).toBe("fulfilled");
  expect(other).toMatchObject({ status: "rejected", reason: expect.any(SessionTaken) });
  await expect(pending.send(server.url, own)).rejects.toThrow(SessionTaken);
});

test("where a browser has no locks, what another page goes on with stays kept", async () => {
  vi.stubGlobal("navigator", {});
  const session = await connect(server.url, own);
  await session.send(samples(1));
  await until(() => session.stats.acknowledgedMs === 1_000, "all of it");
  const other = await (await only()).resume(server.url, own);
  await expect(session.finished).rejects.toMatchObject({ code: "replaced" });
  expect(await only()).toMatchObject({ session: other.info.session });
  other.end();
  await other.finished;
});

test("silence stands for what could not be kept", async () => {
  const { put } = IDBObjectStore.prototype;
  let failing = false;
  vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (
    this: IDBObjectStore,
    ...given
  ) {
    if (failing) throw new DOMException("the disk is full", "QuotaExceededError");
    return put.apply(this, given);
  });
  network = await Network.before(server);
  const session = await connect(server.urlAt(network.port), own);
  network.cut();
  await until(() => session.state === "reconnecting", "a loss");
  let unkept = false;
  session.on("unkept", () => (unkept = true));
  const second = samples(1);
  await session.send(second);
  failing = true;
  await session.send(second);
  await until(() => unkept, "a failure");
  failing = false;
  await session.send(second);
  locks.leave();
  const kept = await pcm(await only());
  expect(kept.equals(Buffer.concat([second, Buffer.alloc(second.length), second]))).toBe(true);
  vi.restoreAllMocks();
});
