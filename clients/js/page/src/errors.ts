/** What went wrong, in words for people. */

import {
  ConnectionLost,
  EditsTooLarge,
  Forbidden,
  MicrophoneError,
  NotFound,
  NotSaved,
  Overflow,
  ServerFailed,
  ServerUnreachable,
  SessionError,
  SessionGone,
  SuggestionOutdated,
  Unauthorized,
  Unavailable,
} from "trax-client";
import type { Say } from "./i18n";
import type { Key } from "./i18n/en";

/** A part of the page could not be fetched. */
export class PartMissing extends Error {
  constructor(cause: unknown) {
    super("a part of the page expected from the server", { cause });
  }
}

/** What errors mean, the special before the general. */
const MEANINGS: readonly (readonly [new (...given: never[]) => Error, Key])[] = [
  [ServerUnreachable, "error.unreachable"],
  [ConnectionLost, "error.lost"],
  [Overflow, "error.overflow"],
  [NotSaved, "error.notSaved"],
  [SuggestionOutdated, "suggest.outdated"],
  [EditsTooLarge, "error.editsTooLarge"],
  [NotFound, "error.notFound"],
  [Unauthorized, "token.wrong"],
  [Forbidden, "error.forbidden"],
  [SessionGone, "error.gone"],
  [Unavailable, "error.unavailable"],
  [ServerFailed, "error.failed"],
  [PartMissing, "app.missing"],
];

/** What the server means by the codes of its refusals that have no class of their own. */
const CODES: ReadonlyMap<string, Key> = new Map([
  ["being_heard", "refused.beingHeard"],
  ["closed", "refused.closed"],
  ["empty", "refused.empty"],
  ["no_audio", "refused.noAudio"],
  ["no_space", "refused.noSpace"],
  ["protected", "refused.protected"],
  ["timeout", "refused.timeout"],
  ["too_large", "refused.tooLarge"],
  ["too_long", "refused.tooLong"],
  ["unknown_codec", "refused.unknownCodec"],
  ["unreadable", "refused.unreadable"],
]);

export function explain(error: unknown, say: Say): string {
  if (error instanceof SessionGone && error.replaced) return say("error.replaced");
  if (error instanceof MicrophoneError) return say(`mic.${error.reason}`);
  for (const [kind, key] of MEANINGS) if (error instanceof kind) return say(key);
  if (error instanceof SessionError) {
    const key = CODES.get(error.code);
    return key ? say(key) : say("error.other", { why: error.reason });
  }
  return say("error.other", { why: error instanceof Error ? error.message : String(error) });
}
