/**
 * What the server would correct where people had edited: for them to accept or to dismiss.
 *
 * They stand in the document, in the map `sug`; what people decide goes into `sugd`. See
 * `clients/PROTOCOL.md`, section 10.
 */

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
export function find(runs: readonly Run[], suggestion: Suggestion): [number, number] | null {
  const text = runs.map((run) => run.text).join("");
  const quoted = suggestion.before + suggestion.text + suggestion.after;
  if (!quoted) return null;
  let places: [number, number][] = [];
  for (let at = text.indexOf(quoted); at !== -1; at = text.indexOf(quoted, at + 1)) {
    const start = at + suggestion.before.length;
    if (isWhole(text, at, quoted.length, suggestion)) {
      places.push([start, start + suggestion.text.length]);
    }
  }
  const told = /[\p{L}\p{N}]/u.test(suggestion.before + suggestion.after);
  if (places.length > 1 || !told) {
    places = places.filter((place) => isAbout(runs, place, suggestion.words));
  }
  return places.length === 1 ? (places[0] ?? null) : null;
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
