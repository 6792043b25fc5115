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
export function timeWords(runs: readonly Run[], words: Words): readonly TimedWord[] {
  return new WordTimes().read(runs, words);
}

/** What was found in a run. */
interface Found {
  readonly run: Run;
  readonly segment: Segment | null;
  /** Between which words of the pass was looked, as many as there were. */
  readonly first: number;
  readonly end: number;
  /** The word after the last that was found. */
  readonly next: number;
  readonly timed: readonly TimedWord[];
}

/** Times the words of a text again and again, and looks only at the runs that changed. */
export class WordTimes {
  /** How many runs were looked through. */
  looked = 0;
  private found: readonly Found[] = [];

  read(runs: readonly Run[], words: Words): readonly TimedWord[] {
    const before = this.found;
    const shift = before.length - runs.length;
    const all: TimedWord[] = [];
    let last: Found | undefined;
    this.found = runs.map((run, index) => {
      // What stands behind a change has its place counted from the end.
      const known = [before[index], before[index + shift]].find(
        (each) => each?.run.segment === run.segment && each.run.text === run.text,
      );
      last = (known && again(known, run, last, words)) ?? this.look(run, last, words);
      for (const word of last.timed) all.push(word);
      return last;
    });
    return all;
  }

  private look(run: Run, last: Found | undefined, words: Words): Found {
    this.looked += 1;
    const segment = parseSegment(run.segment);
    const timed: TimedWord[] = [];
    if (segment === null) return { run, segment, first: 0, end: 0, next: 0, timed };
    const heard = words(segment.pass) ?? [];
    const { first, end } = limits(run, segment, last, words);
    let [cursor, next] = [0, first];
    for (let index = first; index < end; index++) {
      const word = heard[index] as HeardWord;
      const token = word.text.trim();
      const at = token ? run.text.indexOf(token, cursor) : -1;
      if (at === -1 || at - cursor > REACH) continue;
      const [from, to] = [run.start + at, run.start + at + token.length];
      const { startMs, endMs, confidence } = word;
      timed.push({ from, to, startMs, endMs, confidence });
      cursor = at + token.length;
      next = index + 1;
    }
    return { run, segment, first, end, next, timed };
  }
}

/** What was found before in a run with the same text, moved to where that is now. */
function again(known: Found, run: Run, last: Found | undefined, words: Words): Found | null {
  if (known.segment !== null) {
    const { first, end } = limits(run, known.segment, last, words);
    if (known.first !== first || known.end !== end) return null;
  }
  const by = run.start - known.run.start;
  if (by === 0) return known;
  const timed = known.timed.map(({ from, to, startMs, endMs, confidence }) => {
    return { from: from + by, to: to + by, startMs, endMs, confidence };
  });
  return { ...known, run, timed };
}

/** Which words of its pass may stand in a run. */
function limits(run: Run, segment: Segment, last: Found | undefined, words: Words) {
  const first = last?.run.segment === run.segment ? last.next : segment.first;
  return { first, end: Math.min(segment.end, words(segment.pass)?.length ?? 0) };
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

/** Index of the first word at a position or behind it. */
export function firstFrom(timed: readonly TimedWord[], position: number): number {
  return lastIndexWhere(timed, (word) => word.from < position) + 1;
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
