/** Which speakers people choose among, and what becomes of two who are one. */

import type { SharedTranscript, TranscriptSpeaker, Turn } from "trax-client/transcript";
import { hasName } from "../speakers";
import { useShared } from "./useShared";

/** The speakers whom people choose among, as they are now. */
export function useListed(transcript: SharedTranscript): TranscriptSpeaker[] {
  const turns = useShared(transcript, "turns", haveSameSpeakers);
  return listed(useShared(transcript, "speakers"), turns);
}

/** Who has a turn, or a name that people gave; the server may have heard voices of whom none is left. */
export function listed(
  speakers: readonly TranscriptSpeaker[],
  turns: readonly Turn[],
): TranscriptSpeaker[] {
  const speaking = speakersOf(turns);
  return speakers.filter(({ id, named }) => named || speaking.has(id));
}

/** Says that a speaker is another one. A name that somebody gave stays, unless both have one. */
export function unite(
  transcript: Pick<SharedTranscript, "speakers" | "mergeSpeakers">,
  speaker: string,
  other: string,
): void {
  const named = new Set(transcript.speakers.filter(hasName).map(({ id }) => id));
  if (named.has(speaker) && !named.has(other)) transcript.mergeSpeakers(other, speaker);
  else transcript.mergeSpeakers(speaker, other);
}

function speakersOf(turns: readonly Turn[]): Set<string | null> {
  return new Set(turns.map(({ speaker }) => speaker));
}

function haveSameSpeakers(some: readonly Turn[], others: readonly Turn[]): boolean {
  const [one, other] = [speakersOf(some), speakersOf(others)];
  return one.size === other.size && [...one].every((speaker) => other.has(speaker));
}
