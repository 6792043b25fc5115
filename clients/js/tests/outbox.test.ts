/** Audio is sent once per connection, in order, within credit, and kept until acknowledged. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolViolation } from "../src/errors.js";
import { FRAME_OVERHEAD_BYTES, MAX_FRAME_BYTES, Outbox } from "../src/outbox.js";

const bytes = (text: string) => new TextEncoder().encode(text);

function opened(until = 1_000, sampleBytes = 2): Outbox {
  const outbox = new Outbox(sampleBytes);
  outbox.limitFrames(1 << 20);
  outbox.rewind(0, until);
  return outbox;
}

function drain(outbox: Outbox): string[] {
  const sent: string[] = [];
  for (let next = outbox.nextMessage(); next; next = outbox.nextMessage()) {
    sent.push(
      next.type === "audio" ? `${next.at} ${new TextDecoder().decode(next.pcm)}` : next.type,
    );
  }
  return sent;
}

test("frames are whole samples, and the rest waits", () => {
  const outbox = opened(1_000, 4);
  outbox.put(bytes("abcdef"), 0);
  expect(drain(outbox)).toEqual(["0 abcd"]);
  outbox.put(bytes("gh"), 0);
  expect(drain(outbox)).toEqual(["1 efgh"]);
  outbox.put(bytes("xyz"), 0);
  outbox.finish();
  expect(drain(outbox)).toEqual(["end"]);
});

test("what a server does not have goes on in another session, counted from 0", () => {
  const outbox = opened();
  outbox.put(bytes("aabbcc"), 10_000);
  outbox.put(bytes("ddee"), 12_000);
  outbox.finalize();
  drain(outbox);
  outbox.acknowledge(1, 1_000);
  // Two samples a second: the piece is 1.5 s long, and its last sample begins 0.5 s before its end.
  outbox.forget(2);
  expect(outbox.recordedMs(2)).toBe(9_500);
  outbox.forget(0);
  expect(outbox.recordedMs(2)).toBe(9_500);
  expect(outbox.renumber()).toBe(2);
  outbox.rewind(0, 2);
  outbox.put(bytes("ff"), 0);
  expect(drain(outbox)).toEqual(["0 ccdd"]);
  outbox.acknowledge(2, 100);
  expect(drain(outbox)).toEqual(["2 ee", "finalize", "3 ff"]);
  outbox.forget(100);
  expect(outbox.recordedMs(2)).toBeNull();
  expect([outbox.base, outbox.end]).toEqual([4, 4]);
});

test("nothing goes beyond credit", () => {
  const outbox = opened(3);
  outbox.put(bytes("aabbcc"), 0);
  expect(outbox.hasRoom).toBe(true);
  outbox.put(bytes("dd"), 0);
  expect(outbox.hasRoom).toBe(false);
  expect(drain(outbox)).toEqual(["0 aabbcc"]);
  outbox.acknowledge(0, 10);
  expect(outbox.hasRoom).toBe(true);
  expect(drain(outbox)).toEqual(["3 dd"]);
});

test("credit never shrinks within a connection", () => {
  const outbox = opened(3);
  outbox.acknowledge(0, 1);
  outbox.put(bytes("aabbcc"), 0);
  expect(drain(outbox)).toEqual(["0 aabbcc"]);
});

test("frames are no larger than either side likes", () => {
  const outbox = opened(1 << 20);
  outbox.put(new Uint8Array(2 * MAX_FRAME_BYTES), 0);
  expect(drain(outbox).map((frame) => frame.split(" ")[0])).toEqual([
    "0",
    `${MAX_FRAME_BYTES / 2}`,
  ]);
  outbox.limitFrames(FRAME_OVERHEAD_BYTES + 10);
  outbox.rewind(0, 1 << 20);
  const first = outbox.nextMessage();
  expect(first?.type === "audio" && first.pcm.length).toBe(10);
});

test("acknowledged audio is forgotten, and the rest sent again", () => {
  const outbox = opened();
  outbox.put(bytes("aabb"), 0);
  outbox.put(bytes("ccdd"), 0);
  drain(outbox);
  expect(outbox.acknowledge(1, 1_000)).toBe(true);
  expect(outbox.acknowledge(1, 1_000)).toBe(false);
  expect([outbox.base, outbox.end]).toEqual([1, 4]);
  outbox.rewind(1, 1_000);
  expect(drain(outbox)).toEqual(["1 bbccdd"]);
});

test("end comes after all audio, and again on each connection", () => {
  const outbox = opened(1);
  outbox.put(bytes("aabb"), 0);
  outbox.finish();
  expect(drain(outbox)).toEqual(["0 aa"]);
  outbox.acknowledge(1, 2);
  expect(drain(outbox)).toEqual(["1 bb", "end"]);
  outbox.rewind(2, 2);
  expect(drain(outbox)).toEqual(["end"]);
});

test("finalize stands where it was asked for, and is repeated until audio after it arrived", () => {
  const outbox = opened();
  outbox.put(bytes("aab"), 0);
  outbox.finalize();
  outbox.finalize();
  outbox.put(bytes("bcc"), 0);
  expect(drain(outbox)).toEqual(["0 aa", "finalize", "1 bbcc"]);
  outbox.acknowledge(1, 1_000);
  outbox.rewind(3, 1_000);
  expect(drain(outbox)).toEqual(["finalize"]);
  outbox.acknowledge(2, 1_000);
  outbox.rewind(3, 1_000);
  expect(drain(outbox)).toEqual([]);
});

test.each([0, 4])(
  "a server cannot want sample %i, which is forgotten or was never there",
  (next) => {
    const outbox = opened();
    outbox.put(bytes("aabbcc"), 0);
    drain(outbox);
    outbox.acknowledge(1, 1_000);
    expect(() => outbox.rewind(next, 1_000)).toThrow("ready.next: expected 1..3");
  },
);

test("a server cannot acknowledge what it was not sent", () => {
  const outbox = opened(1);
  outbox.put(bytes("aabb"), 0);
  drain(outbox);
  expect(() => outbox.acknowledge(2, 2)).toThrow(ProtocolViolation);
});

const STEP = fc.oneof(
  fc.record({ put: fc.uint8Array({ maxLength: 9 }) }),
  fc.record({ ack: fc.nat(9) }),
  fc.record({ cut: fc.nat(9) }),
  fc.constant({ send: true }),
);

test("a server hears exactly what was put, whatever happens", () => {
  fc.assert(
    fc.property(fc.array(STEP), fc.constantFrom(2, 4), fc.integer({ min: 1, max: 5 }), run),
  );
});

type Step = { put: Uint8Array } | { ack: number } | { cut: number } | { send: boolean };

function run(steps: readonly Step[], sampleBytes: number, frame: number): void {
  const outbox = new Outbox(sampleBytes);
  outbox.limitFrames(FRAME_OVERHEAD_BYTES + frame * sampleBytes);
  outbox.rewind(0, 4);
  const put: number[] = [];
  let heard: number[] = [];
  let acknowledged = 0;
  const samples = () => heard.length / sampleBytes;
  const send = () => {
    for (let next = outbox.nextMessage(); next; next = outbox.nextMessage()) {
      if (next.type !== "audio") throw new Error("only audio expected");
      expect(next.at).toBe(samples());
      expect(next.pcm.length).toBeLessThanOrEqual(frame * sampleBytes);
      heard.push(...next.pcm);
      expect(samples()).toBeLessThanOrEqual(acknowledged + 4);
    }
  };
  const acknowledge = (to: number) => {
    acknowledged = to;
    outbox.acknowledge(acknowledged, acknowledged + 4);
  };
  for (const step of [...steps, { cut: 0 }, { send: true }]) {
    if ("put" in step) {
      outbox.put(step.put, 0);
      put.push(...step.put);
    } else if ("ack" in step) {
      acknowledge(Math.min(acknowledged + step.ack, samples()));
    } else if ("cut" in step) {
      const kept = Math.max(acknowledged, samples() - step.cut);
      heard = heard.slice(0, kept * sampleBytes);
      outbox.rewind(kept, acknowledged + 4);
    } else send();
  }
  while (samples() < Math.floor(put.length / sampleBytes)) {
    acknowledge(samples());
    send();
  }
  expect(heard).toEqual(put.slice(0, heard.length));
}
