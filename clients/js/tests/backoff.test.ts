/** Waits grow, are bounded, and differ from client to client. */

import { expect, test } from "vitest";
import { Reconnect, sleep } from "../src/backoff.js";

test("waits grow to their longest and are scattered below", () => {
  const reconnect = new Reconnect({ firstMs: 1_000, longestMs: 8_000 });
  for (const [attempt, ceiling] of [1_000, 2_000, 4_000, 8_000, 8_000, 8_000].entries()) {
    const waits = Array.from({ length: 200 }, () => reconnect.delayMs(attempt));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(0);
    expect(Math.min(...waits)).toBeLessThan(ceiling / 4);
    expect(Math.max(...waits)).toBeGreaterThan((ceiling * 3) / 4);
    expect(Math.max(...waits)).toBeLessThanOrEqual(ceiling);
  }
});

test("waits are bounded however often one tries", () => {
  expect(new Reconnect().delayMs(5_000)).toBeLessThanOrEqual(10_000);
});

test.each([{ firstMs: 0 }, { firstMs: 2, longestMs: 1 }, { giveUpMs: -1 }, { handshakeMs: 0 }])(
  "waits that make no sense are refused: %o",
  (options) => {
    expect(() => new Reconnect(options)).toThrow("expected");
  },
);

test("a wait is over at once when it is broken off", async () => {
  const broken = new AbortController();
  const waiting = sleep(60_000, broken.signal);
  broken.abort();
  await waiting;
  await sleep(60_000, broken.signal);
});
