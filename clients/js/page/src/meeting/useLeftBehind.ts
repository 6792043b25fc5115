/** Speech that a closed page left in this browser: sent now, and nothing of it lost. */

import { useEffect, useState } from "react";
import { type PendingSession, pendingSessions, SessionGone } from "trax-client";
import { SERVER, tokenFor } from "../server";

/** Sends what was left behind in a transcript; returns whether that is going on. */
export function useLeftBehind(id: string, mayWrite: boolean): boolean {
  const [sending, setSending] = useState(false);
  useEffect(() => {
    if (!mayWrite) return;
    let gone = false;
    const send = async () => {
      const left = (await pendingSessions()).filter(({ transcript }) => transcript === id);
      for (const each of left) {
        if (gone) return;
        setSending(true);
        await finish(each, id);
      }
    };
    alone(`trax.left-behind ${id}`, send)
      // What could not be sent stays in the browser, and is tried again with the next visit.
      .catch(() => undefined)
      .finally(() => setSending(false));
    return () => {
      gone = true;
    };
  }, [id, mayWrite]);
  return sending;
}

/** Does something unless another page of this browser does it already. */
async function alone(name: string, work: () => Promise<void>): Promise<void> {
  if (!navigator.locks) return work();
  await navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? work() : undefined));
}

async function finish(pending: PendingSession, id: string): Promise<void> {
  try {
    const session = await pending.resume(SERVER, { token: tokenFor(id) });
    session.end();
    await session.finished;
  } catch (error) {
    // The server has all of it, or another page goes on with it.
    if (!(error instanceof SessionGone)) throw error;
  }
}
