/** Sessions that follow each other are one to whoever listens. */

import { beforeEach, expect, test } from "vitest";
import { Dialogue } from "../src/dialogue.js";
import type { Event, Ready, Word } from "../src/events.js";
import { startOf } from "../src/requests.js";

const LIMITS = { messageBytes: 65_536, resumeMs: 60_000, idleMs: 30_000, sessionMs: 14_400_000 };

function ready(session: string, fields: Partial<Ready> = {}): Ready {
  return {
    type: "ready",
    session,
    token: `of ${session}`,
    transcript: "t",
    sync: "/v1/transcripts/t/sync",
    next: 0,
    until: 1_000_000,
    resumed: false,
    ended: false,
    language: "en",
    lookaheadMs: 600,
    maxDelayMs: 4_000,
    diarization: true,
    diarizationLatencyMs: 1_000,
    finals: "word",
    limits: LIMITS,
    models: { recognizer: "r", vad: "v", diarizer: "d" },
    ...fields,
  };
}

const word = (text: string, startMs: number, speaker: string): Word => {
  return { text, startMs, endMs: startMs + 100, confidence: 900, speaker };
};

const seconds = (count: number) => new Uint8Array(count * 32_000);

let dialogue: Dialogue;
beforeEach(() => {
  dialogue = new Dialogue(startOf({ transcript: "t" }));
  dialogue.opening(0);
  dialogue.receive(ready("one"));
});

/** Sends all that there is to be sent. */
function pump(): string[] {
  const sent: string[] = [];
  for (let next = dialogue.nextMessage(); next; next = dialogue.nextMessage()) sent.push(next.type);
  return sent;
}

/** Has `ms` of audio taken and heard, and the server forget the session. */
function forgotten(ms: number): void {
  dialogue.outbox.put(seconds(ms / 1_000), 0);
  pump();
  dialogue.renew(ms * 16);
}

function renewed(nowMs = 0): void {
  dialogue.opening(nowMs);
  dialogue.receive(ready("two"));
}

test("events of a second session count on from those of the first", () => {
  const final = { type: "final", seq: 2, utterance: 0, words: [word("a", 500, "S2")] } as const;
  const correction = { ...final, type: "correction", pass: "utterance", endMs: 900 } as const;
  const first: Event[] = [
    { type: "speechStart", seq: 1, utterance: 0, startMs: 400 },
    final,
    { type: "speechStart", seq: 3, utterance: 1, startMs: 2_000 },
    // Of the first utterance, when the second has begun.
    { ...correction, seq: 4, startMs: 400 },
  ];
  for (const event of first) expect(dialogue.receive(event)).toEqual(event);
  forgotten(3_000);
  renewed();
  const start = { type: "speechStart", seq: 1, utterance: 0, startMs: 100 } as const;
  expect(dialogue.receive(start)).toEqual({ ...start, seq: 5, utterance: 2, startMs: 3_100 });
  expect(dialogue.receive({ ...final, words: [word("b", 200, "S1")] })).toEqual({
    ...final,
    seq: 6,
    utterance: 2,
    words: [word("b", 3_200, "S3")],
  });
});

test("what was heard counts on, and never goes back", () => {
  const stats = { type: "stats", audioMs: 3_000, lagMs: 500, stepMs: 500 } as const;
  dialogue.receive({ ...stats, processedMs: 2_500 });
  forgotten(3_000);
  renewed();
  expect(dialogue.stats?.processedMs).toBe(2_500);
  dialogue.receive({ ...stats, processedMs: 1_000 });
  expect(dialogue.stats).toMatchObject({ audioMs: 6_000, processedMs: 4_000, lagMs: 500 });
});

test("audio that came while a new session could not be begun is as old as it is", () => {
  forgotten(1_000);
  expect(dialogue.opening(10_000).ageMs).toBe(0);
  dialogue.outbox.put(seconds(2), 12_000);
  // That connection failed.
  expect(dialogue.opening(15_000)).toMatchObject({ ageMs: 5_000, transcript: "t", resume: null });
  dialogue.receive(ready("two"));
  expect(pump()).toEqual(["audio", "audio"]);
});

test("a first sample that was recorded before there was a connection is as old as it is", () => {
  const early = new Dialogue(startOf({ transcript: "t" }), { recordedMs: 4_000 });
  expect(early.opening(5_500).ageMs).toBe(1_500);
  expect(early.opening(2_000).ageMs).toBe(0); // a clock that was set back
  expect(new Dialogue(startOf({})).opening(5_500).ageMs).toBe(0);
});

/** A session of at most ten seconds. */
function ten(fields: Partial<Ready> = {}): Ready {
  return ready("one", { limits: { ...LIMITS, sessionMs: 10_000 }, ...fields });
}

const done = {
  type: "done",
  audioMs: 10_000,
  utterances: 1,
  words: 1,
  speakers: 1,
  corrections: 0,
} as const;

test("a session as long as the server lets it be ends, and another one goes on", () => {
  dialogue = new Dialogue(startOf({ transcript: "new" }));
  dialogue.opening(0);
  dialogue.receive(ten());
  dialogue.outbox.put(seconds(10), 10_000);
  expect(pump()).toHaveLength(10); // what fills it does not end it yet
  dialogue.outbox.put(seconds(2), 12_000);
  dialogue.outbox.finalize();
  expect(dialogue.outbox.hasRoom).toBe(false);
  expect(pump()).toEqual(["end"]);
  const shown = {
    type: "partial",
    utterance: 0,
    stable: 0,
    words: [word("a", 9_000, "S1")],
  } as const;
  dialogue.receive(shown);
  // Its end was lost with the connection.
  expect(dialogue.opening(12_000).resume).toMatchObject({ session: "one" });
  dialogue.receive(ten({ next: 160_000, resumed: true }));
  expect(pump()).toEqual(["end"]);
  dialogue.outbox.finish();
  expect(dialogue.receive(done)).toBeNull();
  expect(pump()).toEqual([]);
  expect(dialogue.opening(15_000)).toMatchObject({ transcript: "t", resume: null, ageMs: 5_000 });
  expect(dialogue.receive(ready("two"))).toEqual({ ...shown, words: [] });
  expect(pump()).toEqual(["audio", "audio", "finalize", "end"]);
  expect(dialogue.receive(done)).toBe(done);
});

test("a session that is nearly as long as it may be ends between two utterances", () => {
  dialogue = new Dialogue(startOf({}));
  dialogue.opening(0);
  dialogue.receive(ten());
  const utteranceEnd = { type: "utteranceEnd", utterance: 0, startMs: 0, endMs: 8_000 } as const;
  dialogue.outbox.put(seconds(8), 0);
  pump();
  dialogue.receive({ ...utteranceEnd, seq: 1 });
  dialogue.outbox.put(seconds(1), 0);
  expect(pump()).toEqual(["audio"]);
  dialogue.receive({ ...utteranceEnd, seq: 2 });
  dialogue.outbox.put(seconds(1), 0);
  expect(pump()).toEqual(["end"]);
});

test("what an earlier page left of a session that it had ended goes on in another one", () => {
  const earlier = { session: "one", token: "of one", after: 0 };
  dialogue = new Dialogue(startOf({ transcript: "t" }), { earlier });
  const piece = { at: 0, pcm: seconds(3), takenMs: 3_000 };
  dialogue.outbox.restore([piece], 16_000, true);
  dialogue.opening(0);
  dialogue.receive(ready("one", { next: 32_000, until: 32_000, resumed: true, ended: true }));
  expect(pump()).toEqual(["end"]);
  expect(dialogue.receive(done)).toBeNull();
  renewed();
  expect(pump()).toEqual(["audio", "end"]);
});

test("without another session, one is as long as the server lets it be", () => {
  dialogue = new Dialogue(startOf({}), { renews: false });
  dialogue.opening(0);
  dialogue.receive(ten());
  dialogue.outbox.put(seconds(12), 0);
  expect(pump()).toHaveLength(12);
});

test("an ended session of which all but a fraction of a millisecond is stored is not gone on with", () => {
  dialogue.outbox.put(new Uint8Array(2 * 16_015), 0);
  dialogue.outbox.finish();
  pump();
  expect(dialogue.renew(16 * 999)).toBe(true);
  expect(dialogue.renew(16 * 1_000)).toBe(false);
  expect(dialogue.unacknowledgedMs).toBe(0);
});
