/**
 * Keeps audio that the server has not acknowledged where a page that is closed finds it again.
 *
 * In IndexedDB: one record for each session, and its audio in pieces. What is acknowledged is
 * deleted; a session that is done leaves nothing. The record holds the session's resume token, a
 * secret of this origin, but never the server's.
 */

import type { IDBPDatabase } from "idb";
import { SessionTaken } from "./errors.js";
import type { Ready } from "./events.js";
import type { Piece } from "./outbox.js";
import { SAMPLE_BYTES, type Start } from "./requests.js";
import { database, type KeptSession, NAME, opens, type Schema } from "./store.js";

/** Sessions that nobody came back to for so long are forgotten. */
const FORGET_MS = 7 * 86_400_000;

function audioOf(session: string, before = Number.POSITIVE_INFINITY): IDBKeyRange {
  return IDBKeyRange.bound([session, 0], [session, before], false, true);
}

/** What is kept of one session while it goes on; owned by it. */
export class Keeper {
  private record: KeptSession | null = null;
  private pieces: { at: number; end: number }[] = [];
  private queue: Promise<unknown> = Promise.resolve();
  private release: Release = () => undefined;
  private readonly failed: Promise<unknown>;
  private fail!: (error: unknown) => void;

  private constructor(
    private readonly db: IDBPDatabase<Schema> | null,
    private readonly start: Start,
    private readonly server: string,
  ) {
    this.failed = new Promise((resolve) => {
      this.fail = resolve;
    });
  }

  /**
   * Opens the store. Where that fails, as in some private windows, nothing is kept.
   *
   * @param server - URL of the server.
   */
  static async open(start: Start, server: string): Promise<Keeper> {
    try {
      return new Keeper(await database(), start, server);
    } catch (error) {
      const keeper = new Keeper(null, start, server);
      keeper.fail(error);
      return keeper;
    }
  }

  /**
   * Takes over what an earlier page left of a session: its record, and its audio in order.
   *
   * @param server - URL of the server that it goes on with.
   * @throws {@link SessionTaken} if another page has it, or has finished it.
   */
  static async adopt(session: string, server: string): Promise<[Keeper, KeptSession, Piece[]]> {
    const release = await claim(session);
    if (release === null) throw new SessionTaken(session);
    let db: IDBPDatabase<Schema> | null = null;
    try {
      db = await database();
      // As it is now: another page may have gone on with it since it was found.
      const record = await db.get("sessions", session);
      if (record === undefined) throw new SessionTaken(session);
      const pieces = await audio(db, record);
      const keeper = new Keeper(db, record.start, server);
      keeper.record = record;
      keeper.pieces = pieces.map((piece) => keeper.spanOf(piece));
      keeper.release = release;
      return [keeper, record, pieces];
    } catch (error) {
      db?.close();
      release();
      throw error;
    }
  }

  /** Tells once when it cannot keep any more: the disk is full, say. Nothing else ends. */
  onFailure(failed: (error: unknown) => void): void {
    void this.failed.then(failed);
  }

  /**
   * Notes which session it is; again after each reconnect.
   *
   * @param pieces - What waits, where it goes on in another session than before.
   */
  begin(ready: Ready, pieces: readonly Piece[]): void {
    const before = this.record;
    const { session, token, transcript } = ready;
    const { start, server } = this;
    if (before?.session === session) {
      this.record = { ...before, server };
      if (before.server !== server) this.save();
      return;
    }
    const [base, ended, updatedMs] = [ready.next, before?.ended ?? false, Date.now()];
    this.record = { session, server, token, transcript, start, base, ended, updatedMs };
    this.pieces = pieces.map((piece) => this.spanOf(piece));
    const { record, release } = this;
    const claimed = claim(session);
    this.release = () => void claimed.then((letGo) => letGo?.());
    const copies = pieces.map(({ at, pcm, takenMs }) => ({ at, pcm: pcm.slice(), takenMs }));
    // At once: a page that is closed in between would leave the audio to two sessions.
    this.later(async (db) => {
      const stores = db.transaction(["sessions", "audio"], "readwrite");
      const [sessions, audio] = [stores.objectStore("sessions"), stores.objectStore("audio")];
      const writes: Promise<unknown>[] = [sessions.put(record)];
      for (const { at, ...piece } of copies) writes.push(audio.put(piece, [session, at]));
      if (before !== null) {
        writes.push(sessions.delete(before.session), audio.delete(audioOf(before.session)));
      }
      await Promise.all([...writes, stores.done]);
    });
    void this.queue.then(release);
  }

  /** Keeps audio. */
  append(piece: Piece): void {
    const session = this.record?.session;
    if (session === undefined) return;
    const [pcm, takenMs] = [piece.pcm.slice(), piece.takenMs];
    this.pieces.push(this.spanOf(piece));
    this.later((db) => db.put("audio", { pcm, takenMs }, [session, piece.at]));
  }

  private spanOf({ at, pcm }: Piece): { at: number; end: number } {
    return { at, end: at + pcm.length / SAMPLE_BYTES[this.start.encoding] };
  }

  /** Deletes what the server has. */
  acknowledge(samples: number): void {
    if (this.record === null || samples <= this.record.base) return;
    this.record = { ...this.record, base: samples, updatedMs: Date.now() };
    const first = this.pieces.findIndex((piece) => piece.end > samples);
    const gone = this.pieces.splice(0, first === -1 ? this.pieces.length : first);
    const last = gone.at(-1);
    this.save(last && audioOf(this.record.session, last.at + 1));
  }

  /** Notes that no more audio follows. */
  end(): void {
    if (this.record === null) return;
    this.record = { ...this.record, ended: true, updatedMs: Date.now() };
    this.save();
  }

  /** Forgets the session: it is done, or given up. */
  async forget(): Promise<void> {
    const session = this.record?.session;
    this.record = null;
    if (session !== undefined) this.later((db) => remove(db, session));
    await this.close();
  }

  /** Leaves what is kept to whoever comes next. */
  async close(): Promise<void> {
    await this.queue;
    this.release();
    this.db?.close();
  }

  /** Writes the record, and deletes audio in the same transaction: each takes time from the page. */
  private save(gone?: IDBKeyRange): void {
    const { record } = this;
    if (record === null) return;
    this.later((db) => {
      const stores = db.transaction(["sessions", "audio"], "readwrite");
      const writes: Promise<unknown>[] = [stores.objectStore("sessions").put(record), stores.done];
      if (gone) writes.push(stores.objectStore("audio").delete(gone));
      return Promise.all(writes);
    });
  }

  private later(write: (db: IDBPDatabase<Schema>) => Promise<unknown>): void {
    const { db } = this;
    if (db !== null) this.queue = this.queue.then(() => write(db)).catch(this.fail);
  }
}

/**
 * The sessions that were left behind, by any page of this origin; the newest first. None where there
 * is no store.
 */
export async function leftBehind(): Promise<KeptSession[]> {
  if (!(await opens())) return [];
  const db = await database();
  try {
    const held = new Set(
      (await globalThis.navigator?.locks?.query())?.held?.map((lock) => lock.name),
    );
    const left: KeptSession[] = [];
    for (const record of await db.getAll("sessions")) {
      if (held.has(lockOf(record.session))) continue;
      if (Date.now() - record.updatedMs > FORGET_MS) await remove(db, record.session);
      else left.push(record);
    }
    return left.sort((one, other) => other.updatedMs - one.updatedMs);
  } finally {
    db.close();
  }
}

/** The audio that is kept of a session, in order; what could not be kept is missing in between. */
export async function keptAudio(kept: KeptSession): Promise<Piece[]> {
  const db = await database();
  try {
    return await audio(db, kept);
  } finally {
    db.close();
  }
}

async function audio(db: IDBPDatabase<Schema>, kept: KeptSession): Promise<Piece[]> {
  const range = audioOf(kept.session);
  const [keys, values] = await Promise.all([
    db.getAllKeys("audio", range),
    db.getAll("audio", range),
  ]);
  const sampleBytes = SAMPLE_BYTES[kept.start.encoding];
  return values
    .map(({ pcm, takenMs }, index) => {
      return { at: keys[index]?.[1] ?? 0, pcm, takenMs: takenMs ?? kept.updatedMs };
    })
    .filter(({ at, pcm }) => at + pcm.length / sampleBytes > kept.base);
}

/** Deletes all that is kept of a session. */
export async function discard(session: string): Promise<void> {
  const db = await database();
  try {
    await remove(db, session);
  } finally {
    db.close();
  }
}

async function remove(db: IDBPDatabase<Schema>, session: string): Promise<void> {
  const change = db.transaction(["sessions", "audio"], "readwrite");
  await Promise.all([
    change.objectStore("sessions").delete(session),
    change.objectStore("audio").delete(audioOf(session)),
    change.done,
  ]);
}

/** Lets go of a lock. */
type Release = () => void;

/**
 * Has a session as long as this page is there or until it is released, so that no other page takes
 * it for left; `null` if another one has it. Where a browser has no locks, all may.
 */
function claim(session: string): Promise<Release | null> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return Promise.resolve(() => undefined);
  return new Promise((claimed) => {
    const hold = (lock: Lock | null) => {
      if (lock === null) return claimed(null);
      return new Promise<void>((release) => claimed(release));
    };
    locks.request(lockOf(session), { ifAvailable: true }, hold).catch(() => claimed(null));
  });
}

function lockOf(session: string): string {
  return `${NAME}:${session}`;
}
