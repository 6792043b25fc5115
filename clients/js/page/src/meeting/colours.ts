/** Which of the page's colours a voice has. */

import type { TranscriptSpeaker } from "trax-client/transcript";
import { COLOURS } from "../editor/presence";

export type ColourOf = (speaker: string | null) => number;

/** By order of appearance, unless somebody chose one (`"voice-3"`). */
export function colours(speakers: readonly TranscriptSpeaker[]): ColourOf {
  const known = new Map(
    speakers.map(({ id, colour }, index) => {
      const chosen = /^voice-([0-7])$/.exec(colour ?? "");
      return [id, chosen ? Number(chosen[1]) : index % COLOURS] as const;
    }),
  );
  return (speaker) => (speaker === null ? COLOURS : (known.get(speaker) ?? COLOURS));
}
