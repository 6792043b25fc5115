/** Asks before the page is left, as long as speech would go with it that the server does not have. */

import { useEffect } from "react";
import type { Session } from "trax-client";

/** @param session - Whose audio it is; `null` as long as there is none. */
export function useLeaving(session: Pick<Session, "stats"> | null): void {
  useEffect(() => {
    if (session === null) return;
    const ask = (event: BeforeUnloadEvent) => {
      const { takenMs, acknowledgedMs } = session.stats;
      if (takenMs > acknowledgedMs) event.preventDefault();
    };
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [session]);
}
