/** Asks before the page is left, where something would go with it that the server does not have. */

import type { Session } from "trax-client";

/** Asks as long as some of a session's audio is not acknowledged, until the session is over. */
export function askBeforeLeaving(session: Pick<Session, "stats" | "finished">): void {
  askUntil(session.finished, () => session.stats.takenMs > session.stats.acknowledgedMs);
}

/** Asks until something is over, whenever it would be lost just then. */
export function askUntil(over: Promise<unknown>, loses?: () => boolean): void {
  const stop = askWhile(loses);
  over.then(stop, stop);
}

/** Asks whenever something would be lost just then; returns how to end that. */
export function askWhile(loses: () => boolean = () => true): () => void {
  const ask = (event: BeforeUnloadEvent) => {
    if (loses()) event.preventDefault();
  };
  addEventListener("beforeunload", ask);
  return () => removeEventListener("beforeunload", ask);
}
