/** How speakers are called, in the language of the page. */

import type { TranscriptSpeaker } from "trax-client/transcript";
import type { Say } from "./i18n";

/** A speaker's name, where the server only counted them as it does: `Speaker 1`. */
export function nameIn(name: string, say: Say): string {
  const number = numberIn(name);
  return number === undefined ? name : say("speaker.counted", { number });
}

/** Whether somebody gave a speaker its name: people here, or whose microphone it is. */
export function hasName({ name, named }: Pick<TranscriptSpeaker, "name" | "named">): boolean {
  return named || (name !== "" && numberIn(name) === undefined);
}

const numberIn = (name: string) => /^Speaker ([1-9]\d*)$/.exec(name)?.[1];
