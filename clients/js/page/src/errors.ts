/** What went wrong, in words for people. */

import {
  MicrophoneError,
  NotFound,
  ServerUnreachable,
  SessionError,
  Unauthorized,
} from "trax-client";
import type { Say } from "./i18n";

export function explain(error: unknown, say: Say): string {
  if (error instanceof ServerUnreachable) return say("error.unreachable");
  if (error instanceof NotFound) return say("error.notFound");
  if (error instanceof Unauthorized) return say("token.wrong");
  if (error instanceof MicrophoneError) return say(`mic.${error.reason}`);
  if (error instanceof SessionError) return say("error.other", { why: error.reason });
  return say("error.other", { why: error instanceof Error ? error.message : String(error) });
}
