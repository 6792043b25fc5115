/** Speech that this browser keeps and no server takes any more: to be saved as a file, or dropped. */

import { useEffect, useState } from "react";
import {
  Forbidden,
  NotFound,
  type PendingSession,
  pendingSessions,
  Unauthorized,
} from "trax-client";
import { explain } from "../errors";
import { date } from "../format";
import { useSpeech } from "../i18n";
import { libraryFor } from "../server";
import { save } from "../take/files";

interface Left {
  readonly pending: PendingSession;
  readonly audio: Blob;
  readonly why: unknown;
}

/** Of a WAV file without samples. */
const EMPTY_BYTES = 44;

export function Unsent() {
  const { say, tongue } = useSpeech();
  const [left, setLeft] = useState<readonly Left[]>([]);
  useEffect(() => {
    let gone = false;
    // What cannot be read now is looked at again with the next visit.
    unsendable().then(
      (found) => gone || setLeft(found),
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, []);
  return left.map(({ pending, audio, why }) => (
    <p key={pending.session} role="alert" className="problem">
      {say("left.title", { when: date(pending.updatedMs, tongue), why: explain(why, say) })}{" "}
      <button type="button" onClick={() => save(audio, `${pending.session}.wav`)}>
        {say("left.download")}
      </button>{" "}
      <button
        type="button"
        onClick={() => {
          void pending.discard();
          setLeft((all) => all.filter((each) => each.pending !== pending));
        }}
      >
        {say("left.discard")}
      </button>
    </p>
  ));
}

/** What was left behind in transcripts that are gone, or closed to us. What is empty is dropped. */
async function unsendable(): Promise<Left[]> {
  const found: Left[] = [];
  for (const pending of await pendingSessions()) {
    const why = await refusal(pending.transcript);
    if (why === null) continue;
    const audio = await pending.audio();
    if (audio.size > EMPTY_BYTES) found.push({ pending, audio, why });
    else await pending.discard();
  }
  return found;
}

async function refusal(transcript: string | null): Promise<unknown> {
  if (transcript === null) return null;
  try {
    await libraryFor(transcript).get(transcript);
    return null;
  } catch (error) {
    const final = [NotFound, Unauthorized, Forbidden].some((kind) => error instanceof kind);
    return final ? error : null;
  }
}
