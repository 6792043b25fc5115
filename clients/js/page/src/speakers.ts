/** How speakers are called, in the language of the page. */

import type { Say } from "./i18n";

/** A speaker's name, where the server only counted them as it does: `Speaker 1`. */
export function nameIn(name: string, say: Say): string {
  const number = /^Speaker ([1-9]\d*)$/.exec(name)?.[1];
  return number === undefined ? name : say("speaker.counted", { number });
}
