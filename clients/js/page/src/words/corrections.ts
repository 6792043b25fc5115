/**
 * Where the machine corrected itself: words of a later pass in the place of live ones.
 *
 * The text says which pass each word is of. What stood there before are the words that the live
 * pass heard at that time, as far as they stand nowhere any more.
 */

import type { HeardWord } from "trax-client";
import type { Run } from "trax-client/transcript";
import { firstFrom, parseSegment, type TimedWord, type Words } from "./timing";

export interface Correction {
  readonly from: number;
  readonly to: number;
  /** What stood there; empty where nothing did. */
  readonly was: string;
}

/** Which session a pass heard, and how: `live`, or again. */
export interface About {
  readonly session: string | null;
  readonly kind: string;
}

/** So far may times of two passes differ. */
const NEAR_MS = 150;

/** Words on either side that may be those of the live pass at that time. */
const AROUND = 12;

export function correctionsOf(
  runs: readonly Run[],
  timed: readonly TimedWord[],
  words: Words,
  about: (pass: string) => About | undefined,
): Correction[] {
  const stretches = stretchesOf(runs);
  const lives = new Map<string | null, string>();
  for (const { pass } of stretches) {
    const known = about(pass);
    if (known?.kind === "live") lives.set(known.session, pass);
  }
  return stretches.flatMap((stretch) => {
    const known = about(stretch.pass);
    const live = known && known.kind !== "live" ? lives.get(known.session) : undefined;
    const heard = live === undefined ? undefined : words(live);
    if (heard === undefined) return [];
    return ownOf(stretch, timed).flatMap(({ first, end, from, to, text }) => {
      const was = replaced(heard, timed, first, end);
      return letters(was) === letters(text) ? [] : [{ from, to, was }];
    });
  });
}

/** Words `timed[first, end)` of a stretch with nothing that people typed between them. */
interface Own {
  readonly first: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** The words of a stretch that its pass heard: what people type there has the same segment. */
function ownOf(stretch: Stretch, timed: readonly TimedWord[]): Own[] {
  const between = (from: number, to: number) =>
    stretch.text.slice(from - stretch.from, to - stretch.from);
  const found: Own[] = [];
  const behind = firstFrom(timed, stretch.to);
  for (let index = firstFrom(timed, stretch.from); index < behind; index++) {
    const { from, to } = timed[index] as TimedWord;
    const last = found.at(-1);
    if (last && letters(between(last.to, from)) === "") {
      found[found.length - 1] = { ...last, end: index + 1, to, text: between(last.from, to) };
    } else found.push({ first: index, end: index + 1, from, to, text: between(from, to) });
  }
  return found;
}

interface Stretch {
  readonly pass: string;
  readonly segment: string;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Segments as they stand: highlights cut them into several runs. */
function stretchesOf(runs: readonly Run[]): Stretch[] {
  const found: Stretch[] = [];
  for (const { segment, start, text } of runs) {
    const pass = parseSegment(segment)?.pass;
    if (segment === null || pass === undefined) continue;
    const last = found.at(-1);
    const to = start + text.length;
    if (last?.segment === segment && last.to === start) {
      found[found.length - 1] = { ...last, to, text: last.text + text };
    } else found.push({ pass, segment, from: start, to, text });
  }
  return found;
}

/** What a pass heard while `timed[first, end)` was said, and stands nowhere around. */
function replaced(
  heard: readonly HeardWord[],
  timed: readonly TimedWord[],
  first: number,
  end: number,
): string {
  const startMs = (timed[first]?.startMs ?? 0) - NEAR_MS;
  const endMs = (timed[end - 1]?.endMs ?? 0) + NEAR_MS;
  const around = [
    ...timed.slice(Math.max(0, first - AROUND), first),
    ...timed.slice(end, end + AROUND),
  ];
  const stands = (word: HeardWord) =>
    around.some((each) => each.startMs === word.startMs && each.endMs === word.endMs);
  let at = lowerBound(heard, startMs);
  let was = "";
  for (; at < heard.length; at++) {
    const word = heard[at];
    if (!word || word.startMs > endMs) break;
    const middle = (word.startMs + word.endMs) / 2;
    if (middle >= startMs && middle <= endMs && !stands(word)) was += word.text;
  }
  return was.trim();
}

/** The first word that ends behind a time. */
function lowerBound(heard: readonly HeardWord[], ms: number): number {
  let [low, high] = [0, heard.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((heard[middle] as HeardWord).endMs < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What one minds in a word: neither case nor punctuation. */
function letters(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}
