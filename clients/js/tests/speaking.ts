/** What tests of sessions do over and over: speak, and read what was heard. */

import { WebSocket } from "ws";
import { type Event, Folding, type Library, type Session } from "../src/index.js";
import { until } from "./serving.js";

export const SOON = { firstMs: 5, longestMs: 50, giveUpMs: 20_000 };
/** What a script of twelve words says. */
export const WORDS = Array.from({ length: 12 }, (_, n) => `w${n}`);
export const own = { WebSocket, reconnect: SOON };

/** Reads a session to its end; what was said, and each event. */
export async function read(session: Session): Promise<[Folding, Event[]]> {
  const [folding, events]: [Folding, Event[]] = [new Folding(), []];
  for await (const event of session) {
    folding.apply(event);
    events.push(event);
  }
  return [folding, events];
}

export function heard(folding: Folding): string[] {
  return folding.text.split(/\s+/);
}

/** Sends audio in tenths of a second, and does something when a byte is reached. */
export async function speak(
  session: Session,
  pcm: Uint8Array,
  whenAt?: [number, () => void],
): Promise<void> {
  for (let at = 0; at < pcm.length; at += 3_200) {
    if (whenAt && at <= whenAt[0] && whenAt[0] < at + 3_200) whenAt[1]();
    await session.send(pcm.subarray(at, at + 3_200));
  }
}

/** Waits until the server has given up all sessions of a transcript. */
export async function finished(library: Library, id: string): Promise<void> {
  let live = true;
  await until(() => {
    void library.get(id).then(({ sessions }) => (live = sessions.some((each) => each.live)));
    return !live;
  }, "an end");
}
