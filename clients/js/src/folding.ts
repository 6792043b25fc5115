/**
 * Folds events into what has been said up to now.
 *
 * The rules are those of `clients/PROTOCOL.md`, section 5: finals are appended, a correction
 * replaces its utterance's words in its span, a revised speaker goes to the words in its span, and
 * the newest partial stands at the end.
 */

import type { Correction, Event, Partial, Word } from "./events.js";
import { liesIn } from "./events.js";

/** A pause of one speaker after which a new turn begins, so that times stay near what they label. */
export const TURN_PAUSE_MS = 2_000;

/** A word of the transcript. */
export interface SpokenWord {
  /** The word itself, its speaker as last revised. */
  readonly word: Word;
  readonly utterance: number;
  /** Whether a correction put it where other words stood. */
  readonly corrected: boolean;
}

/** Consecutive words of one speaker; never empty. */
export interface SpokenTurn {
  readonly speaker: string | null;
  readonly words: readonly SpokenWord[];
  readonly startMs: number;
  readonly endMs: number;
  /** What was said, without surrounding space. */
  readonly text: string;
}

/** What has been said up to now. Apply each event of a session, in order. */
export class Folding {
  /** The partial that stands at the end, or `null`. */
  partial: Partial | null = null;
  /** As detected, or `null`. */
  language: string | null = null;
  /** How many corrections were applied. */
  corrections = 0;
  /** The utterance going on, or `null` in a pause. */
  openUtterance: number | null = null;
  private readonly spoken: SpokenWord[] = [];

  /** All final words, in time order; valid until the next event. */
  get words(): readonly SpokenWord[] {
    return this.spoken;
  }

  /** The final words as text. */
  get text(): string {
    return textOf(this.spoken);
  }

  /** Who spoke, in order of first appearance. */
  get speakers(): readonly string[] {
    const known = this.spoken.map(({ word }) => word.speaker).filter((each) => each !== null);
    return [...new Set(known)];
  }

  /** Takes one event in. Costs no more than the words since the span that it concerns. */
  apply(event: Event): void {
    switch (event.type) {
      case "speechStart":
        this.openUtterance = event.utterance;
        break;
      case "partial":
        this.partial = event.words.length > 0 ? event : null;
        break;
      case "final":
        this.partial = null;
        for (const word of event.words) {
          this.spoken.push({ word, utterance: event.utterance, corrected: false });
        }
        break;
      case "correction":
        this.correct(event);
        break;
      case "speaker":
        this.reviseSpeaker(event.startMs, event.endMs, event.speaker);
        break;
      case "utteranceEnd":
      case "done":
        this.partial = null;
        this.openUtterance = null;
        break;
      case "language":
        this.language = event.language;
        break;
      case "stats":
        break;
    }
  }

  /**
   * Groups the words from index `firstWord` on into turns.
   *
   * Words whose speaker is not known (yet) stay with the turn before, if it is of the same
   * utterance: a label that is a second late should not tear a sentence apart.
   */
  turns(firstWord = 0): SpokenTurn[] {
    return groupTurns(this.spoken.slice(firstWord));
  }

  private correct(event: Correction): void {
    this.corrections += 1;
    const replaced = this.indicesBack(
      ({ utterance }) => utterance < event.utterance,
      ({ utterance, word }) =>
        utterance === event.utterance && liesIn(word, event.startMs, event.endMs),
    );
    const at = replaced.at(-1) ?? this.indexAt(event.startMs);
    const before = replaced.toReversed().flatMap((index) => this.spoken[index] ?? []);
    for (const index of replaced) this.spoken.splice(index, 1);
    this.spoken.splice(at, 0, ...markCorrected(before, event));
  }

  private reviseSpeaker(startMs: number, endMs: number, speaker: string | null): void {
    const concerned = this.indicesBack(
      ({ word }) => word.endMs < startMs,
      ({ word }) => liesIn(word, startMs, endMs),
    );
    for (const index of concerned) {
      const spoken = this.spoken[index];
      if (spoken) this.spoken[index] = { ...spoken, word: { ...spoken.word, speaker } };
    }
  }

  /** Indices of words from the newest back: what events concern is always recent. */
  private indicesBack(
    until: (spoken: SpokenWord) => boolean,
    which: (spoken: SpokenWord) => boolean,
  ): number[] {
    const found: number[] = [];
    for (let index = this.spoken.length - 1; index >= 0; index--) {
      const spoken = this.spoken[index];
      if (!spoken || until(spoken)) break;
      if (which(spoken)) found.push(index);
    }
    return found;
  }

  /** Where words from `startMs` belong in time. */
  private indexAt(startMs: number): number {
    let index = this.spoken.length;
    while (index > 0 && (this.spoken[index - 1]?.word.startMs ?? 0) >= startMs) index--;
    return index;
  }
}

/** Groups consecutive words into turns (see {@link Folding.turns}). */
export function groupTurns(words: readonly SpokenWord[]): SpokenTurn[] {
  const turns: SpokenTurn[] = [];
  let begun: SpokenWord[] = [];
  let speaker: string | null = null;
  const finish = () => {
    const [first, last] = [begun[0], begun.at(-1)];
    if (!first || !last) return;
    const { startMs } = first.word;
    turns.push({ speaker, words: begun, startMs, endMs: last.word.endMs, text: textOf(begun) });
    [begun, speaker] = [[], null];
  };
  for (const spoken of words) {
    const last = begun.at(-1);
    if (last && !continues(last, speaker, spoken)) finish();
    begun.push(spoken);
    speaker ??= spoken.word.speaker;
  }
  finish();
  return turns;
}

/** Whether a word goes on with the turn of `speaker` whose last word is `last`. */
function continues(last: SpokenWord, speaker: string | null, spoken: SpokenWord): boolean {
  if (spoken.word.startMs - last.word.endMs >= TURN_PAUSE_MS) return false;
  if (spoken.word.speaker === speaker) return true;
  const unknown = speaker === null || spoken.word.speaker === null;
  return unknown && spoken.utterance === last.utterance;
}

function textOf(words: readonly SpokenWord[]): string {
  return words
    .map(({ word }) => word.text)
    .join("")
    .trim();
}

/**
 * A correction's words, with those marked that differ from what stood there.
 *
 * A word that a correction put there once stays marked when another one keeps it.
 */
function markCorrected(before: readonly SpokenWord[], event: Correction): SpokenWord[] {
  const old = before.map(({ word }) => word.text.trim());
  const kept = inBoth(
    old,
    event.words.map((word) => word.text.trim()),
  );
  return event.words.map((word, index) => {
    const same = kept.get(index);
    const corrected = same === undefined || (before[same]?.corrected ?? false);
    return { word, utterance: event.utterance, corrected };
  });
}

/** A longest common subsequence: indices of the new words to those of the old ones. */
function inBoth(old: readonly string[], now: readonly string[]): Map<number, number> {
  const lengths = commonLengths(old, now);
  const at = (i: number, j: number) => lengths[i * (now.length + 1) + j] ?? 0;
  const kept = new Map<number, number>();
  for (let [i, j] = [0, 0]; i < old.length && j < now.length; ) {
    if (old[i] === now[j]) kept.set(j++, i++);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return kept;
}

/** Lengths of the longest common subsequences of what follows from each pair of places. */
function commonLengths(old: readonly string[], now: readonly string[]): Uint16Array {
  const width = now.length + 1;
  const lengths = new Uint16Array((old.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      const both = old[i] === now[j] ? at(i + 1, j + 1) + 1 : 0;
      lengths[i * width + j] = Math.max(at(i + 1, j), at(i, j + 1), both);
    }
  }
  return lengths;
}
