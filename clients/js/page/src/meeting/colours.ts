/**
 * Which of the page's colours a voice has: the same for everybody, whenever they came.
 *
 * It follows from the speaker's id, never from the order in which a map happens to give speakers:
 * `s3` has the third colour. A colour that people chose (`"voice-3"`) is theirs alone, as long as
 * there are others.
 */

import type { Person, TranscriptSpeaker } from "trax-client/transcript";
import { COLOURS, colourOf, numbered } from "../editor/presence";

export type ColourOf = (speaker: string | null) => number;

/** How the colours are called, in their order (`base.css`). */
export const VOICE_COLOURS = [
  "forest",
  "brown",
  "navy",
  "raspberry",
  "leaf",
  "violet",
  "sky",
  "ochre",
] as const;

/** The colour of nobody in particular. */
const NOBODY = COLOURS;

export function colours(speakers: readonly TranscriptSpeaker[]): ColourOf {
  const known = new Map<string, number>();
  const taken = new Set<number>();
  const give = (id: string, colour: number) => {
    known.set(id, colour);
    taken.add(colour);
  };
  for (const { id, colour } of speakers) {
    const chosen = numbered(colour);
    if (chosen !== null) give(id, chosen);
  }
  const others = speakers.filter(({ id }) => !known.has(id)).sort(inOrder);
  for (const { id } of others) {
    const own = numberOf(id) % COLOURS;
    give(id, taken.has(own) ? (freeColour(taken) ?? own) : own);
  }
  return (speaker) => (speaker === null ? NOBODY : (known.get(speaker) ?? NOBODY));
}

/** A colour for somebody new. */
export function nextColour(speakers: readonly TranscriptSpeaker[]): string {
  const colourOf = colours(speakers);
  const free = freeColour(new Set(speakers.map(({ id }) => colourOf(id))));
  return `voice-${free ?? speakers.length % COLOURS}`;
}

/**
 * The colour that we show to people who are here: the first that none of them has.
 *
 * What we show already stays, unless somebody shows it whose client has a lower number: so of two
 * who came at the same moment one takes another.
 */
export function ownColour(people: readonly Person[], client: number, shown: unknown): string {
  const known = numbered(shown);
  const has = (person: Person) => colourOf(person.client, person.colour);
  const stays = people.every((person) => person.client > client || has(person) !== known);
  if (known !== null && stays) return `voice-${known}`;
  return `voice-${freeColour(new Set(people.map(has))) ?? client % COLOURS}`;
}

function freeColour(taken: ReadonlySet<number>): number | null {
  const free = Array.from({ length: COLOURS }, (_, colour) => colour).find((c) => !taken.has(c));
  return free ?? null;
}

/** Speakers of the server are counted; whatever else is called somehow has some number. */
function numberOf(id: string): number {
  const counted = /^s([1-9]\d{0,8})$/.exec(id);
  if (counted) return Number(counted[1]) - 1;
  return [...id].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973, 7);
}

function inOrder(one: TranscriptSpeaker, other: TranscriptSpeaker): number {
  const machines = (id: string) => Number(/^s[1-9]\d{0,8}$/.test(id));
  return (
    machines(other.id) - machines(one.id) ||
    (machines(one.id) ? numberOf(one.id) - numberOf(other.id) : one.id < other.id ? -1 : 1)
  );
}
