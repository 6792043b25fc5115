/** Who reads late has all that stands, and the newest of what passes. */

import { expect, test } from "vitest";
import type { Event } from "../src/events.js";
import { Inbox } from "../src/inbox.js";

const partial = (utterance: number): Event => {
  return { type: "partial", utterance, stable: 0, words: [] };
};
const stats = (audioMs: number): Event => {
  return { type: "stats", audioMs, processedMs: 0, lagMs: 0, stepMs: 0 };
};
const start = (seq: number): Event => {
  return { type: "speechStart", seq, utterance: seq, startMs: 0 };
};

test("of partials and statistics that nobody has read yet only the newest of each stays", async () => {
  const inbox = new Inbox(() => undefined);
  for (let n = 0; n < 1_000; n++) {
    inbox.put(partial(n));
    inbox.put(stats(n));
    if (n % 500 === 0) inbox.put(start(n));
  }
  inbox.close(null);
  const read: Event[] = [];
  for await (const event of inbox) read.push(event);
  expect(read).toEqual([start(0), start(500), partial(999), stats(999)]);
});

test("what was read is not there any more, and what comes is read at once", async () => {
  const inbox = new Inbox(() => undefined);
  inbox.put(partial(0));
  expect((await inbox.next()).value).toEqual(partial(0));
  const next = inbox.next();
  inbox.put(start(1));
  expect((await next).value).toEqual(start(1));
});
