/** A tone comes through at its length, its loudness and its pitch; what would fold back does not. */

import { describe, expect, test } from "vitest";
import { Capture } from "../src/capture.js";
import { Resampler } from "../src/resampling.js";

const OUT = 16_000;

function tone(hz: number, rate: number, seconds = 1): Float32Array {
  return Float32Array.from({ length: rate * seconds }, (_, index) =>
    Math.sin((2 * Math.PI * hz * index) / rate),
  );
}

function resampled(input: Float32Array, rate: number, block: number): Float32Array {
  const resampler = new Resampler(rate, OUT);
  const output: number[] = [];
  for (let at = 0; at < input.length; at += block) {
    output.push(...resampler.push(input.subarray(at, at + block)));
  }
  output.push(...resampler.flush());
  return Float32Array.from(output);
}

/** Loudness in the middle, away from where the tone begins and ends. */
function rms(samples: Float32Array): number {
  const middle = samples.subarray(1_000, samples.length - 1_000);
  return Math.sqrt(middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length);
}

const decibels = (amplitude: number) => 20 * Math.log10(amplitude * Math.SQRT2);

describe.each([48_000, 44_100, 96_000, 22_050])("from %i Hz", (rate) => {
  test.each([100, 1_000, 3_400, 6_500])("a tone of %i Hz is what it was", (hz) => {
    const output = resampled(tone(hz, rate), rate, 128);
    expect(Math.abs(output.length - OUT)).toBeLessThanOrEqual(2);
    const expected = tone(hz, OUT);
    const worst = output
      .subarray(1_000, 15_000)
      .reduce(
        (most, sample, at) => Math.max(most, Math.abs(sample - (expected[at + 1_000] ?? 0))),
        0,
      );
    expect(worst).toBeLessThan(0.005);
  });

  test.each([9_000, 10_000, 10_900])("a tone of %i Hz does not fold back", (hz) => {
    expect(decibels(rms(resampled(tone(hz, rate), rate, 128)))).toBeLessThan(-65);
  });

  test("how it is cut changes nothing", () => {
    const input = tone(440, rate, 0.2);
    const whole = resampled(input, rate, input.length);
    for (const block of [1, 7, 128]) expect(resampled(input, rate, block)).toEqual(whole);
  });
});

test("a slower microphone is brought up without an image", () => {
  const output = resampled(tone(1_000, 8_000), 8_000, 128);
  expect(Math.abs(output.length - OUT)).toBeLessThanOrEqual(3);
  expect(decibels(rms(output))).toBeCloseTo(0, 1);
});

test("a minute keeps its length", () => {
  const resampler = new Resampler(44_100, OUT);
  const second = new Float32Array(44_100);
  let samples = 0;
  for (let passed = 0; passed < 60; passed++) samples += resampler.push(second).length;
  expect(Math.abs(samples - 60 * OUT)).toBeLessThan(50);
});

describe("capture", () => {
  test("blocks become batches with their level", () => {
    const capture = new Capture(OUT, OUT, 1_600);
    const input = tone(440, OUT).map((sample) => sample / 2);
    const batches = [];
    for (let at = 0; at < input.length; at += 128) {
      batches.push(...capture.push([input.subarray(at, at + 128)]));
    }
    expect(batches.map(({ pcm }) => pcm.byteLength)).toEqual(Array(10).fill(3_200));
    expect(batches[3]?.peak).toBeCloseTo(0.5, 2);
    expect(batches[3]?.rms).toBeCloseTo(0.5 / Math.SQRT2, 2);
    expect(capture.flush()).toBeNull();
  });

  test("channels are mixed, and what is too loud is clipped", () => {
    const capture = new Capture(OUT, OUT, 4);
    const [batch] = capture.push([
      new Float32Array([1, 0, 2, -2]),
      new Float32Array([0, 0, 2, -2]),
    ]);
    expect([...new Int16Array(batch?.pcm ?? new ArrayBuffer(0))]).toEqual([
      16_384, 0, 32_767, -32_767,
    ]);
  });

  test("no input is nothing, and what is left can be had", () => {
    const capture = new Capture(48_000, OUT, 1_600);
    expect(capture.push([])).toEqual([]);
    for (let block = 0; block < 3; block++) capture.push([new Float32Array(128)]);
    expect(capture.flush()?.pcm.byteLength).toBeGreaterThan(0);
  });
});
