/**
 * When each word of the text was said.
 *
 * A run of the text says which words of which pass were written there (`PASS:FIRST:END`), and the
 * server knows their times. People may have changed the letters since: words are sought one after
 * the other, and those that are not there any more have no place.
 */

import type { HeardWord } from "trax-client";
import type { Run } from "trax-client/transcript";

export interface TimedWord {
  readonly from: number;
  readonly to: number;
  readonly startMs: number;
  readonly endMs: number;
  /** Permille. */
  readonly confidence: number;
}

export type Words = (pass: string) => readonly HeardWord[] | undefined;

export interface Segment {
  readonly pass: string;
  readonly first: number;
  readonly end: number;
}

/** How far behind the last word the next is sought, in characters. */
const REACH = 60;

export function parseSegment(segment: string | null): Segment | null {
  const found = /^([0-9A-Za-z-]{1,64}):(\d{1,9}):(\d{1,9})$/.exec(segment ?? "");
  if (!found?.[1]) return null;
  return { pass: found[1], first: Number(found[2]), end: Number(found[3]) };
}

/** The words of the text in its order. Several runs may share a segment that people cut. */
export function timeWords(runs: readonly Run[], words: Words): TimedWord[] {
  const timed: TimedWord[] = [];
  let open: { segment: string; next: number } | null = null;
  for (const run of runs) {
    const segment = parseSegment(run.segment);
    if (segment === null || run.segment === null) continue;
    const heard = words(segment.pass);
    if (heard === undefined) continue;
    let index = open?.segment === run.segment ? open.next : segment.first;
    let cursor = 0;
    for (; index < Math.min(segment.end, heard.length); index++) {
      const word = heard[index];
      if (!word) break;
      const token = word.text.trim();
      const at = token ? run.text.indexOf(token, cursor) : -1;
      if (at === -1 || at - cursor > REACH) continue;
      timed.push({
        from: run.start + at,
        to: run.start + at + token.length,
        startMs: word.startMs,
        endMs: word.endMs,
        confidence: word.confidence,
      });
      cursor = at + token.length;
    }
    const last: TimedWord | undefined = timed.at(-1);
    const reached = last ? heard.findIndex((w) => w.startMs === last.startMs) + 1 : segment.first;
    open = { segment: run.segment, next: Math.max(segment.first, reached) };
  }
  return timed;
}

/** The word at a position, or the nearest one before it in reach. */
export function wordAt(timed: readonly TimedWord[], position: number): TimedWord | null {
  const index = lastIndexWhere(timed, (word) => word.from <= position);
  const word = timed[index];
  return word && position - word.to <= REACH ? word : null;
}

/** The word that is said at a time; words need not be in order of time everywhere. */
export function wordSaidAt(timed: readonly TimedWord[], ms: number): TimedWord | null {
  let best: TimedWord | null = null;
  for (const word of timed) {
    if (word.startMs <= ms && (best === null || word.startMs >= best.startMs)) best = word;
  }
  return best && ms < best.endMs + 800 ? best : null;
}

/** From when until when a stretch of the text was said. */
export function spanOf(
  timed: readonly TimedWord[],
  from: number,
  to: number,
): { startMs: number; endMs: number } | null {
  const inside = timed.filter((word) => word.to > from && word.from < to);
  if (inside.length === 0) return null;
  return {
    startMs: Math.min(...inside.map((word) => word.startMs)),
    endMs: Math.max(...inside.map((word) => word.endMs)),
  };
}

function lastIndexWhere<T>(sorted: readonly T[], holds: (value: T) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(sorted[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
