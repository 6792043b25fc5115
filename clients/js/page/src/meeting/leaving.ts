/** Asks before the page is left, where speech would go with it that the server does not have. */

import type { Session } from "trax-client";

/** Asks as long as some of a session's audio is not acknowledged, until the session is over. */
export function askBeforeLeaving(session: Pick<Session, "stats" | "finished">): void {
  const ask = (event: BeforeUnloadEvent) => {
    const { takenMs, acknowledgedMs } = session.stats;
    if (takenMs > acknowledgedMs) event.preventDefault();
  };
  const over = () => removeEventListener("beforeunload", ask);
  addEventListener("beforeunload", ask);
  session.finished.then(over, over);
}
