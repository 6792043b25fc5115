/**
 * What a shared transcript says: the values that `transcript` reads and tells.
 *
 * Positions are UTF-16 units of the text, half open, as Yjs and CodeMirror count. They hold until the
 * next change. The rules are those of `clients/PROTOCOL.md`, section 10.
 */

import { isMap } from "./fields.js";

/** Characters of a name that are shown. */
export const LONGEST_NAME = 200;

/** A stretch of the text whose characters share their attributes. */
export interface Run {
  readonly start: number;
  /** Never empty. */
  readonly text: string;
  /** The machine's words that were written here, as `"PASS:FIRST:END"`; `null` where people typed. */
  readonly segment: string | null;
  /** A colour, where a person highlighted the text. */
  readonly highlight: string | null;
  /** Set on a newline that begins a turn. */
  readonly turn: string | null;
}

/** What one speaker said in one go, as it stands in the document now. */
export interface Turn {
  /** `null` for text before the first turn. */
  readonly id: string | null;
  /** Where its text begins, after the newline that begins the turn. */
  readonly start: number;
  readonly end: number;
  /** Id of the speaker, or `null` while nobody knows. */
  readonly speaker: string | null;
  /** What people see for it: the speaker's name, else the id, else nothing. */
  readonly name: string;
  readonly text: string;
  /** The turn's text. Newlines in it are people's. */
  readonly runs: readonly Run[];
}

/** A voice, with the name and colour that people, or else the server, gave it. */
export interface TranscriptSpeaker {
  readonly id: string;
  readonly name: string;
  /** Whether people gave it its name. */
  readonly named: boolean;
  readonly colour: string | null;
  /** Who it is in the end, if people say that it is another one. */
  readonly same: string | null;
}

/** What is being said now, and is not final yet; times on the transcript's clock. */
export interface Saying {
  /** Whose microphone. */
  readonly session: string;
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly speaker: string | null;
  readonly name: string;
}

/** Somebody else who has the transcript open and shows it. */
export interface Person {
  readonly client: number;
  readonly name: string;
  readonly colour: string | null;
}

/** What the document says about itself. */
export interface Meta {
  readonly title: string;
  readonly language: string | null;
  /** `live` or `closed`. */
  readonly state: string;
}

/** One step of what Yjs gives for a text. */
export interface Stretch {
  readonly insert?: unknown;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/**
 * The runs of a text that Yjs gives as stretches with attributes.
 *
 * What is typed after the newline of a turn may bear its attribute too, and means nothing there.
 */
export function asRuns(stretches: readonly Stretch[]): Run[] {
  const runs: Run[] = [];
  let start = 0;
  for (const { insert, attributes } of stretches) {
    if (typeof insert !== "string") {
      start += 1; // an embed, which has no place here
      continue;
    }
    const [segment, highlight] = [asText(attributes?.g), asText(attributes?.hl)];
    const turn = insert.startsWith("\n") ? asText(attributes?.t) : null;
    if (turn !== null) runs.push({ start, text: "\n", segment: null, highlight: null, turn });
    const skipped = turn === null ? 0 : 1;
    const text = insert.slice(skipped);
    if (text) runs.push({ start: start + skipped, text, segment, highlight, turn: null });
    start += insert.length;
  }
  return runs;
}

/** Groups runs into turns; an empty one before the first turn is left out. */
export function asTurns(
  runs: readonly Run[],
  speakers: ReadonlyMap<string, string>,
  names: ReadonlyMap<string, string>,
): Turn[] {
  const begun: { id: string | null; start: number; runs: Run[] }[] = [
    { id: null, start: 0, runs: [] },
  ];
  for (const run of runs) {
    if (run.turn === null) begun.at(-1)?.runs.push(run);
    else begun.push({ id: run.turn, start: run.start + 1, runs: [] });
  }
  return begun
    .filter(({ id, runs }) => id !== null || runs.length > 0)
    .map(({ id, start, runs }) => {
      const speaker = (id === null ? null : speakers.get(id)) || null;
      const text = runs.map((run) => run.text).join("");
      const last = runs.at(-1);
      const end = last ? last.start + last.text.length : start;
      return { id, start, end, speaker, name: nameOf(speaker, names), text, runs };
    });
}

/**
 * Who those speakers are in the end of whom people say that they are another one. Of a circle, which
 * two people may make at once, the smallest id is who all of them are.
 */
function merged(chosen: Readonly<Record<string, unknown>>): Map<string, string> {
  const same = new Map(Object.entries(chosen).map(([id, said]) => [id, asText(asMap(said).same)]));
  const ends = new Map<string, string>();
  for (const speaker of same.keys()) {
    const met = new Set<string>();
    let at = speaker;
    while (!ends.has(at) && !met.has(at)) {
      met.add(at);
      at = same.get(at) || at;
    }
    const way = [...met];
    const end = ends.get(at) ?? way.slice(way.indexOf(at)).sort()[0] ?? at;
    for (const each of way) ends.set(each, end);
  }
  return new Map([...ends].filter(([speaker, end]) => speaker !== end));
}

/** Every speaker; what people say wins, name and colour each for itself. */
export function asSpeakers(
  proposed: Readonly<Record<string, unknown>>,
  chosen: Readonly<Record<string, unknown>>,
): TranscriptSpeaker[] {
  const others = merged(chosen);
  return [...new Set([...Object.keys(proposed), ...Object.keys(chosen)])].map((id) => {
    const [said, heard] = [asMap(chosen[id]), asMap(proposed[id])];
    const given = asText(said.name);
    const name = shortened(given || asText(heard.name) || "");
    const colour = asText(said.colour) || asText(heard.colour);
    return { id, name, named: !!given, colour, same: others.get(id) ?? null };
  });
}

/** Who speaks in which turn; whatever else an editor wrote there is left out. */
export function asAssignments(
  heard: Readonly<Record<string, unknown>>,
  chosen: Readonly<Record<string, unknown>>,
  same: ReadonlyMap<string, string>,
): Map<string, string> {
  const assigned = new Map<string, string>();
  for (const [turn, speaker] of [...Object.entries(heard), ...Object.entries(chosen)]) {
    if (typeof speaker === "string") assigned.set(turn, same.get(speaker) ?? speaker);
  }
  return assigned;
}

/** What the server's own presence state says is being said. */
export function asSayings(
  state: unknown,
  names: ReadonlyMap<string, string>,
  same: ReadonlyMap<string, string>,
): Saying[] {
  return Object.entries(asMap(asMap(asMap(state).trax).partials)).flatMap(([session, said]) => {
    const { text, start_ms: startMs, end_ms: endMs, speaker: spoken } = asMap(said);
    if (typeof text !== "string" || typeof startMs !== "number" || typeof endMs !== "number") {
      return [];
    }
    const heard = asText(spoken);
    const speaker = heard === null ? null : (same.get(heard) ?? heard);
    return [{ session, text, startMs, endMs, speaker, name: nameOf(speaker, names) }];
  });
}

/** Who shows this presence state, by the convention of Yjs editors: a map `user`. */
export function asPerson(client: number, state: unknown): Person | null {
  const user = asMap(asMap(state).user);
  const name = asText(user.name);
  return name === null ? null : { client, name: shortened(name), colour: asText(user.color) };
}

/** What people see for a speaker. */
export function nameOf(speaker: string | null, names: ReadonlyMap<string, string>): string {
  return speaker === null ? "" : names.get(speaker) || speaker;
}

export function asText(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

export function asMap(value: unknown): Readonly<Record<string, unknown>> {
  return isMap(value) ? value : {};
}

function shortened(name: string): string {
  return name.length <= LONGEST_NAME ? name : [...name].slice(0, LONGEST_NAME).join("");
}
