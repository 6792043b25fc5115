/**
 * What the server would correct where people had edited: for them to accept or to dismiss.
 *
 * They stand in the document, in the map `sug`; what people decide goes into `sugd`. See
 * `clients/PROTOCOL.md`, section 10.
 */

import { lengthOf, type TextChange } from "./changes.js";
import { asMap, type Run } from "./document.js";

/** What accepting a suggestion does. */
export type SuggestionKind = "replace" | "insert" | "delete";

/** What the server heard at one place, after people had edited there. */
export interface Suggestion {
  /** By which it is accepted or dismissed. */
  readonly id: string;
  readonly kind: SuggestionKind;
  /** What stands there, as people wrote it; with the space before it, as `alternative`. */
  readonly text: string;
  /** What was heard. */
  readonly alternative: string;
  /** What stands before it in its turn. */
  readonly before: string;
  readonly after: string;
  /** Which words of passes it is about, as `"PASS.WORD"`. */
  readonly words: readonly string[];
  /** When it was said, on the transcript's clock. */
  readonly startMs: number;
  readonly endMs: number;
}

/** Changed stretches since the last look; after more, all is sought anew. */
const MOST_CHANGED = 200;

/** Characters that are quoted on either side, if the turn has so many. */
const CONTEXT = 20;

/** What people have not decided about, in the order of time. */
export function asSuggestions(
  made: Readonly<Record<string, unknown>>,
  decided: Readonly<Record<string, unknown>>,
): Suggestion[] {
  return Object.entries(made)
    .filter(([id]) => !Object.hasOwn(decided, id))
    .flatMap(([id, value]) => parse(id, value) ?? [])
    .sort((one, other) => one.startMs - other.startMs || (one.id < other.id ? -1 : 1));
}

/** Where a suggestion's text stands; `null` if that cannot be told, or it is gone. */
export function find(
  text: string,
  runs: readonly Run[],
  suggestion: Suggestion,
  quotes: Quotes = new Quotes(),
): [number, number] | null {
  const quoted = quotedBy(suggestion);
  let places = quotes
    .in(text, quoted)
    .filter((at) => isWhole(text, at, quoted.length, suggestion))
    .map((at): [number, number] => {
      const start = at + suggestion.before.length;
      return [start, start + suggestion.text.length];
    });
  const told = /[\p{L}\p{N}]/u.test(suggestion.before + suggestion.after);
  if (places.length > 1 || !told) {
    places = places.filter((place) => isAbout(runs, place, suggestion.words));
  }
  return places.length === 1 ? (places[0] ?? null) : null;
}

/** What has to stand somewhere for a suggestion to be about it. */
export function quotedBy({ before, text, after }: Suggestion): string {
  return before + text + after;
}

/**
 * Where quotes stand: sought in the whole text once, and then only where something changed.
 *
 * Owned by one open transcript.
 */
export class Quotes {
  /** How often a whole text was looked through. */
  sought = 0;
  /** How many changed characters were looked at again. */
  looked = 0;
  private readonly known = new Map<string, number[]>();
  private dirty: [number, number][] = [];

  /** Everywhere a quote stands in the text as it is after the last change. */
  in(text: string, quote: string): readonly number[] {
    if (this.dirty.length > 0) this.look(text);
    let found = this.known.get(quote);
    if (found === undefined) {
      this.sought += 1;
      found = allOf(text, quote, 0, text.length);
      this.known.set(quote, found);
    }
    return found;
  }

  /** Forgets all others. */
  keep(quotes: ReadonlySet<string>): void {
    for (const quote of this.known.keys()) if (!quotes.has(quote)) this.known.delete(quote);
  }

  /** Moves what stands behind a change, and has what it touches sought there. */
  follow({ from, to, stretches }: TextChange): void {
    if (this.dirty.length === MOST_CHANGED) {
      this.known.clear();
      this.dirty = [];
    }
    if (this.known.size === 0) return;
    const length = stretches.reduce((sum, each) => sum + lengthOf(each), 0);
    const by = length - (to - from);
    for (const [quote, places] of this.known) {
      const left = places.filter((at) => at + quote.length <= from || at >= to);
      this.known.set(
        quote,
        left.map((at) => (at >= to ? at + by : at)),
      );
    }
    const moved = (at: number) => (at > to ? at + by : Math.min(at, from + length));
    let [first, last] = [from, from + length];
    const others: [number, number][] = [];
    for (const stretch of this.dirty) {
      const [start, end] = [moved(stretch[0]), moved(stretch[1])];
      // What is typed, or appended, becomes one stretch.
      if (start > last || end < first) others.push([start, end]);
      else [first, last] = [Math.min(first, start), Math.max(last, end)];
    }
    this.dirty = [...others, [first, last]];
  }

  private look(text: string): void {
    for (const [start, end] of this.dirty) this.looked += end - start;
    for (const [quote, places] of this.known) {
      const found = this.dirty.flatMap(([start, end]) =>
        allOf(text, quote, start - quote.length, end + quote.length),
      );
      if (found.length === 0) continue;
      const all = [...new Set([...places, ...found])].sort((one, other) => one - other);
      this.known.set(quote, all);
    }
    this.dirty = [];
  }
}

/** Where a quote stands, whole, in `[start, end)`; one of nothing stands nowhere. */
function allOf(text: string, quote: string, start: number, end: number): number[] {
  const first = Math.max(0, start);
  const part = text.slice(first, Math.min(end, text.length));
  const found: number[] = [];
  if (!quote) return found;
  for (let at = part.indexOf(quote); at !== -1; at = part.indexOf(quote, at + 1)) {
    found.push(first + at);
  }
  return found;
}

/**
 * Whether what is quoted is no part of longer words, nor of a longer turn.
 *
 * What stands around a suggestion is quoted as far as its turn goes, or else cut anywhere.
 */
function isWhole(text: string, first: number, length: number, suggestion: Suggestion): boolean {
  const last = first + length;
  const left = characterBefore(text, first);
  const right = characterAt(text, last);
  return (
    ends(suggestion.before, left, characterAt(text, first)) &&
    ends(suggestion.after, right, characterBefore(text, last))
  );
}

function ends(context: string, beyond: string, edge: string): boolean {
  if (!context) return beyond === "" || beyond === "\n";
  const cut = [...context].length >= CONTEXT;
  return cut || !(isWordly(beyond) && isWordly(edge));
}

function isWordly(character: string): boolean {
  return /^[\p{L}\p{N}]$/u.test(character);
}

function characterAt(text: string, at: number): string {
  const point = text.codePointAt(at);
  return point === undefined ? "" : String.fromCodePoint(point);
}

function characterBefore(text: string, at: number): string {
  return [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? "";
}

/** Whether one of some words was written where the place is, or next to it. */
function isAbout(
  runs: readonly Run[],
  [start, end]: readonly [number, number],
  words: readonly string[],
): boolean {
  return runs.some(
    (run) =>
      run.segment !== null &&
      run.start <= end &&
      run.start + run.text.length >= start &&
      words.some((word) => holds(run.segment ?? "", word)),
  );
}

function holds(segment: string, word: string): boolean {
  const found = /^([0-9A-Za-z-]{1,64}):([0-9]{1,9}):([0-9]{1,9})$/.exec(segment);
  const sought = /^([0-9A-Za-z-]{1,64})\.([0-9]{1,9})$/.exec(word);
  if (!found || !sought || found[1] !== sought[1]) return false;
  const number = Number(sought[2]);
  return Number(found[2]) <= number && number < Number(found[3]);
}

const KINDS: readonly unknown[] = ["replace", "insert", "delete"];

function parse(id: string, value: unknown): Suggestion | null {
  const said = asMap(value);
  const { kind, text, alternative, before, after, words, start_ms: startMs, end_ms: endMs } = said;
  if (!KINDS.includes(kind) || !Array.isArray(words)) return null;
  if (typeof text !== "string" || typeof alternative !== "string") return null;
  if (typeof before !== "string" || typeof after !== "string") return null;
  if (typeof startMs !== "number" || typeof endMs !== "number") return null;
  if (!(0 <= startMs && startMs <= endMs && endMs < 1e12)) return null;
  return {
    id,
    kind: kind as SuggestionKind,
    text,
    alternative,
    before,
    after,
    words: words.filter((word) => typeof word === "string"),
    startMs: Math.trunc(startMs),
    endMs: Math.trunc(endMs),
  };
}
