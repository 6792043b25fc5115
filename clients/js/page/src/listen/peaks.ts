/** What is drawn of a recording's sound: which part, how loud, and how wide. */

/** A minute of sound is 1.9 MB. */
const WINDOW_MS = 60_000;

/** A recording of this length or less is shown as a whole. */
const WHOLE_MS = 2 * WINDOW_MS;

/** What a bar fills: this share of its place, but at most this share of the whole width. */
const BAR = 0.7;
const WIDEST = 1 / 120;

/** A part of a recording whose shape is drawn. */
export interface ShownPart {
  readonly fromMs: number;
  /** Up to where there is sound. */
  readonly toMs: number;
  /** How much fills the width. */
  readonly shownMs: number;
}

/** The part of a recording around a place: all of a short one that is over, else a minute. */
export function partAround(aroundMs: number, lengthMs: number, live: boolean): ShownPart {
  const end = Math.floor(lengthMs);
  if (!live && end <= WHOLE_MS) return { fromMs: 0, toMs: end, shownMs: Math.max(1, end) };
  const fromMs = Math.floor(aroundMs / WINDOW_MS) * WINDOW_MS;
  const toMs = Math.min(fromMs + WINDOW_MS, end);
  return { fromMs, toMs, shownMs: live ? WINDOW_MS : Math.max(1, toMs - fromMs) };
}

/** Which share of a whole recording a part is, from where on, 0..1; `null` if it is all of it. */
export function shareOf(
  { fromMs, toMs }: ShownPart,
  lengthMs: number,
): { from: number; wide: number } | null {
  if (fromMs <= 0 && toMs >= Math.floor(lengthMs)) return null;
  return { from: fromMs / lengthMs, wide: (toMs - fromMs) / lengthMs };
}

/** Where a bar stands in its place, and how wide it is, in places: a few bars are no blocks. */
export function barOf(bars: number): { left: number; wide: number } {
  const wide = Number(Math.min(BAR, WIDEST * bars).toFixed(3));
  return { left: Number(((1 - wide) / 2).toFixed(4)), wide };
}

/** The loudest sample of each of `count` stretches of a WAV file (16-bit mono), 0..1. */
export function peaksOf(wav: ArrayBuffer, count: number): Float32Array {
  const peaks = new Float32Array(count);
  const samples = new Int16Array(wav.slice(44, 44 + Math.floor((wav.byteLength - 44) / 2) * 2));
  const stretch = Math.max(1, Math.ceil(samples.length / count));
  for (let index = 0; index < samples.length; index++) {
    const bar = Math.floor(index / stretch);
    const value = Math.abs(samples[index] ?? 0) / 32_768;
    if (value > (peaks[bar] ?? 0)) peaks[bar] = value;
  }
  return peaks;
}
