/** How far something is that the server hears, in words for people. */

import type { JobProgress } from "trax-client";
import type { Key, Say } from "./i18n";

type Told = Pick<JobProgress, "state" | "progress" | "error" | "errorCode">;

/** What the server means by the codes of what can go wrong with a job. */
const CODES: ReadonlyMap<string | null, Key> = new Map([
  ["internal_error", "error.failed"],
  ["model_missing", "failed.modelMissing"],
  ["no_audio", "failed.noAudio"],
  ["out_of_memory", "failed.outOfMemory"],
  ["rejected", "failed.rejected"],
  ["timeout", "failed.timeout"],
  ["unavailable", "failed.unavailable"],
  ["unsupported", "failed.unsupported"],
  ["worker_died", "failed.workerDied"],
]);

export function describeJob({ state, progress, error, errorCode }: Told, say: Say): string {
  switch (state) {
    case "running":
      return say("job.running", { percent: Math.round(progress / 10) });
    case "failed": {
      const key = CODES.get(errorCode);
      return say("job.failed", { why: key ? say(key) : (error ?? "") });
    }
    case "heard":
    case "done":
    case "cancelled":
      return say(`job.${state}`);
    default:
      return say("job.waiting");
  }
}

/** Whether a job is why a transcript has no words: it is under way, or a file could not be heard. */
export function keepsWords({
  state,
  kind,
  over,
}: Pick<JobProgress, "state" | "kind" | "over">): boolean {
  return !over || (state === "failed" && kind === "upload");
}

/** How far a passage is that is heard again, once by each microphone, and what came of it. */
export function describeJobs(jobs: readonly Told[], suggested: number, say: Say): string {
  if (jobs.length > 0 && jobs.every(({ state }) => state === "done")) {
    return suggested > 0 ? say("again.suggested", { count: suggested }) : say("again.done");
  }
  // As long as they are equally far, that is said once.
  return [...new Set(jobs.map((job) => describeJob(job, say)))].join(" · ");
}
