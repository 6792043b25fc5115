/** Searching inside a transcript. */

import type { Turn } from "trax-client/transcript";

export interface Hit {
  readonly from: number;
  readonly to: number;
}

const MOST = 2_000;

/** What is looked for, again and again, in turns of which few change meanwhile. */
export class Finder {
  /** How many turns were made plain. */
  looked = 0;
  private known: ReadonlyMap<string, Folded> = new Map();

  /** Where something stands, whatever its case and accents; of one speaker, or of all (`null`). */
  find(turns: readonly Turn[], query: string, speaker: string | null): Hit[] {
    const plain = new Map<string, Folded>();
    const hits = search(turns, query, speaker, (text) => {
      const known = plain.get(text) ?? this.known.get(text) ?? this.look(text);
      plain.set(text, known);
      return known;
    });
    this.known = plain;
    return hits;
  }

  private look(text: string): Folded {
    this.looked += 1;
    return folded(text);
  }
}

/** Text without case and accents, and where each of its units stood. */
interface Folded {
  readonly text: string;
  readonly places: readonly number[];
}

function search(
  turns: readonly Turn[],
  query: string,
  speaker: string | null,
  plain: (text: string) => Folded,
): Hit[] {
  const sought = folded(query.trim()).text;
  const hits: Hit[] = [];
  if (!sought) return hits;
  for (const turn of turns) {
    if (speaker !== null && turn.speaker !== speaker) continue;
    const { text, places } = plain(turn.text);
    for (let at = text.indexOf(sought); at !== -1; at = text.indexOf(sought, at + sought.length)) {
      const end = places[at + sought.length] ?? turn.text.length;
      hits.push({ from: turn.start + (places[at] ?? 0), to: turn.start + end });
      if (hits.length === MOST) return hits;
    }
  }
  return hits;
}

function folded(text: string): Folded {
  const places: number[] = [];
  let plain = "";
  let at = 0;
  for (const character of text) {
    const simple = character.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    for (let unit = 0; unit < simple.length; unit++) places.push(at);
    plain += simple;
    at += character.length;
  }
  return { text: plain, places };
}
