/** How far something is that the server hears, in words for people. */

import type { Job } from "trax-client";
import type { Say } from "./i18n";

export function describeJob(
  { state, progress, error }: Pick<Job, "state" | "progress" | "error">,
  say: Say,
): string {
  switch (state) {
    case "running":
      return say("job.running", { percent: Math.round(progress / 10) });
    case "failed":
      return say("job.failed", { why: error ?? "" });
    case "heard":
    case "done":
    case "cancelled":
      return say(`job.${state}`);
    default:
      return say("job.waiting");
  }
}
