/** Speech that this browser keeps: on its way, or to be saved as a file where no server takes it. */

import { explain } from "../errors";
import { date } from "../format";
import { useSpeech } from "../i18n";
import type { Refused } from "../meeting/refused";
import { useLeftBehind } from "../meeting/useLeftBehind";
import { save } from "../take/files";

export interface UnsentProps {
  /** In which it was said; `null`: any. */
  readonly transcript: string | null;
  /** Not to be sent now. */
  readonly later: boolean;
  /** What only this page keeps. */
  readonly lost: readonly Refused[];
}

export function UnsentSpeech({ transcript, later, lost }: UnsentProps) {
  const { say, tongue } = useSpeech();
  const { state, refused } = useLeftBehind(transcript, later);
  const others = refused.filter((each) => lost.every(({ session }) => session !== each.session));
  return (
    <>
      {state !== null && (
        <p role="status" className="read-only">
          {say(`left.${state}`)}
        </p>
      )}
      {[...lost, ...others].map(({ session, updatedMs, audio, why, discard }) => (
        <p key={session} role="alert" className="problem">
          {say("left.title", { when: date(updatedMs, tongue), why: explain(why, say) })}{" "}
          <button type="button" onClick={() => save(audio, `${session}.wav`)}>
            {say("left.download")}
          </button>{" "}
          <button type="button" onClick={discard}>
            {say("left.discard")}
          </button>
        </p>
      ))}
    </>
  );
}
