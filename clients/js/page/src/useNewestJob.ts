/** How far the server is with what it hears of a transcript. */

import { useEffect, useState } from "react";
import type { Job, Library } from "trax-client";

const AGAIN_MS = 3_000;

interface Wishes {
  /** Whether it is asked for at all; what was told before stays. */
  readonly wanted: boolean;
  /** Whether it is asked for also while nothing is heard: something may come. */
  readonly waits: boolean;
}

/** The newest job of a transcript, asked for again until it is over; `null` while none is known. */
export function useNewestJob(library: Library, id: string, { wanted, waits }: Wishes): Job | null {
  const [job, setJob] = useState<Job | null>(null);
  useEffect(() => {
    if (!wanted) return;
    let gone = false;
    let underWay = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      try {
        const { done, value } = await library.jobs(id).next();
        if (gone) return;
        setJob(done ? null : value);
        underWay = !done && !value.over;
      } catch {
        // That the server is away is said elsewhere.
      }
      if (!gone && (underWay || waits)) timer = setTimeout(() => void ask(), AGAIN_MS);
    };
    void ask();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [library, id, wanted, waits]);
  return job;
}
