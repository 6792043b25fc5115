/** How far the server is with what it hears of a transcript. */

import { useEffect, useState } from "react";
import type { Job, Library } from "trax-client";

const AGAIN_MS = 3_000;

/**
 * The newest job of a transcript, asked for again and again; `null` while none is known.
 *
 * @param wanted - Whether it is asked for at all; what was told before stays.
 */
export function useNewestJob(library: Library, id: string, wanted: boolean): Job | null {
  const [job, setJob] = useState<Job | null>(null);
  useEffect(() => {
    if (!wanted) return;
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      try {
        const { done, value } = await library.jobs(id).next();
        if (gone) return;
        setJob(done ? null : value);
      } catch {
        // That the server is away is said elsewhere.
      }
      if (!gone) timer = setTimeout(() => void ask(), AGAIN_MS);
    };
    void ask();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [library, id, wanted]);
  return job;
}
