/** Searching inside a transcript. */

import type { Turn } from "trax-client/transcript";

export interface Hit {
  readonly from: number;
  readonly to: number;
}

const MOST = 2_000;

/** Where something stands, whatever its case and accents; of one speaker, or of all (`null`). */
export function find(turns: readonly Turn[], query: string, speaker: string | null): Hit[] {
  const sought = folded(query.trim()).text;
  const hits: Hit[] = [];
  if (!sought) return hits;
  for (const turn of turns) {
    if (speaker !== null && turn.speaker !== speaker) continue;
    const { text, places } = folded(turn.text);
    for (let at = text.indexOf(sought); at !== -1; at = text.indexOf(sought, at + sought.length)) {
      const end = places[at + sought.length] ?? turn.text.length;
      hits.push({ from: turn.start + (places[at] ?? 0), to: turn.start + end });
      if (hits.length === MOST) return hits;
    }
  }
  return hits;
}

/** Text without case and accents, and where each of its units stood. */
function folded(text: string): { text: string; places: number[] } {
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
