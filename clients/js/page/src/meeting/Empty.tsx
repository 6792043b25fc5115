/** What stands where nothing was said yet. */

import type { Job, Library } from "trax-client";
import type { SharedTranscript } from "trax-client/transcript";
import { type Say, useSay } from "../i18n";
import { describeJob, keepsWords } from "../job";
import { isAwaited } from "../start/awaited";
import { useNewestJob } from "./useNewestJob";
import type { Phase } from "./useRecording";
import { useEmpty } from "./useShared";

interface Props {
  readonly transcript: SharedTranscript;
  readonly library: Library;
  readonly phase: Phase;
  /** Whether one may speak here. */
  readonly open: boolean;
}

export function Empty({ transcript, library, phase, open }: Props) {
  const say = useSay();
  const empty = useEmpty(transcript);
  const job = useNewestJob(library, transcript.id, empty);
  if (!empty) return null;
  const awaited = isAwaited(transcript.id);
  return <p className="empty">{describeEmpty({ phase, open, job, awaited }, say)}</p>;
}

export function describeEmpty(
  {
    phase,
    open,
    job,
    awaited,
  }: Pick<Props, "phase" | "open"> & { job: Job | null; awaited: boolean },
  say: Say,
): string {
  if (open && phase !== "off" && phase !== "ending") return say("meeting.emptyListening");
  if (job && keepsWords(job)) {
    const how = describeJob(job, say);
    return job.over ? how : say("meeting.emptyHeard", { how });
  }
  if (awaited && !job) return say("start.awaited");
  return say(open ? "meeting.empty" : "meeting.emptyViewer");
}
