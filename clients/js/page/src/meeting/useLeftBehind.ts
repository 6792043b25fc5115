/** Speech that a closed page left in this browser: sent now, or offered where no server takes it. */

import { useEffect, useState } from "react";
import {
  isTemporary,
  type PendingSession,
  pendingSessions,
  SessionGone,
  SessionTaken,
} from "trax-client";
import { SERVER, tokenFor } from "../server";
import { EMPTY_BYTES, type Refused } from "./refused";

export interface LeftBehind {
  /** What is being done, if anything is left that may arrive. */
  readonly state: "sending" | "waiting" | null;
  readonly refused: readonly Refused[];
}

/** When a server that was away is asked again. */
const AGAIN_MS = 30_000;

/**
 * Sends what was left behind, each session by itself.
 *
 * @param transcript - In which; `null`: in all.
 * @param later - Not now: the page speaks itself.
 */
export function useLeftBehind(transcript: string | null, later: boolean): LeftBehind {
  const [state, setState] = useState<LeftBehind["state"]>(null);
  const [refused, setRefused] = useState<readonly Refused[]>([]);
  useEffect(() => {
    if (later) return;
    let gone = false;
    /** Tries each once; returns whether some of it may still arrive. */
    const send = async () => {
      let waits = false;
      for (const pending of await pendingSessions(SERVER)) {
        if (gone) return false;
        if (transcript !== null && pending.transcript !== transcript) continue;
        setState((before) => before ?? "sending");
        const why = await refusal(pending);
        if (isTemporary(why)) waits = true;
        const audio = why === null || isTemporary(why) ? null : await kept(pending);
        const drop = (all: readonly Refused[]) =>
          all.filter(({ session }) => session !== pending.session);
        const discard = () => {
          void pending.discard();
          setRefused(drop);
        };
        const { session, updatedMs } = pending;
        setRefused((all) =>
          audio ? [...drop(all), { session, updatedMs, audio, why, discard }] : drop(all),
        );
      }
      return waits;
    };
    const keepSending = async () => {
      while (await send()) {
        if (!gone) setState("waiting");
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    };
    keepSending()
      // What cannot be read now is looked at again with the next visit.
      .catch(() => undefined)
      .finally(() => gone || setState(null));
    return () => {
      gone = true;
      setState(null);
    };
  }, [transcript, later]);
  return { state, refused };
}

/** Sends a session; returns why it could not be, or `null` if it was or others do. */
async function refusal(pending: PendingSession): Promise<unknown> {
  try {
    await pending.send(SERVER, { token: tokenFor(pending.transcript) });
    return null;
  } catch (error) {
    const others = error instanceof SessionGone && error.replaced;
    return others || error instanceof SessionTaken ? null : error;
  }
}

/** What is kept of a session, as a file; if that is nothing, the session is forgotten. */
async function kept(pending: PendingSession): Promise<Blob | null> {
  try {
    const audio = await pending.audio();
    if (audio.size > EMPTY_BYTES) return audio;
    await pending.discard();
  } catch {
    // What cannot be read now is looked at again with the next visit.
  }
  return null;
}
