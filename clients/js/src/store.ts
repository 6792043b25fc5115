/** Where audio that the server does not have yet is kept: an IndexedDB of this origin. */

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Start } from "./requests.js";

/** A session of which something may not have arrived. */
export interface KeptSession {
  readonly session: string;
  /** URL of the server that it is of, which may share its origin; missing in what was kept before. */
  readonly server?: string;
  /** Its resume token. */
  readonly token: string;
  readonly transcript: string | null;
  readonly start: Start;
  /** The server holds everything before this sample. */
  readonly base: number;
  /** Whether the caller said that no more audio follows. */
  readonly ended: boolean;
  /** Unix time of the last change. */
  readonly updatedMs: number;
}

/** One record for each session, and its audio in pieces, each under its first sample. */
export interface Schema extends DBSchema {
  sessions: { key: string; value: KeptSession };
  audio: { key: [string, number]; value: { pcm: Uint8Array<ArrayBuffer>; takenMs?: number } };
}

/** A store that takes longer to open counts as none. */
const OPEN_MS = 5_000;

/** Of the store, and what names of locks on its sessions begin with. */
export const NAME = "trax-client";

/** Whether there is an IndexedDB. */
export function canKeep(): boolean {
  return globalThis.indexedDB !== undefined;
}

/** Whether it opens: in some private windows it refuses to, or never does. */
export async function opens(): Promise<boolean> {
  if (!canKeep()) return false;
  try {
    (await database()).close();
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether pages of this origin keep sessions, done or not: a quick look, for whoever would rather not
 * load what {@link pendingSessions} needs where there is nothing to send.
 */
export async function keepsSessions(): Promise<boolean> {
  if (!canKeep()) return false;
  try {
    const db = await database();
    try {
      return (await db.count("sessions")) > 0;
    } finally {
      db.close();
    }
  } catch {
    return false;
  }
}

/** @throws DOMException if it does not open in time. */
export async function database(): Promise<IDBPDatabase<Schema>> {
  const opening = openDB<Schema>(NAME, 1, {
    upgrade(db) {
      db.createObjectStore("sessions", { keyPath: "session" });
      db.createObjectStore("audio");
    },
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new DOMException(`IndexedDB expected to open in ${OPEN_MS} ms`, "TimeoutError");
    timer = setTimeout(() => reject(error), OPEN_MS);
  });
  try {
    return await Promise.race([opening, late]);
  } catch (error) {
    opening.then((db) => db.close()).catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
