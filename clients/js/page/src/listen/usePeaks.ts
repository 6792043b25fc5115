/** How loud a stretch of the recording is: fetched once, and in pieces while it grows. */

import { useEffect, useRef, useState } from "react";
import { peaksOf } from "./peaks";

/** One bar of what is drawn. */
export const BAR_MS = 250;

/** A page that has just opened has better things to fetch. */
const PATIENCE_MS = 800;

export type Load = (fromMs: number, toMs: number) => Promise<Blob>;

/** The bars of `[fromMs, toMs)` that are known, from the first on; only whole ones. */
export function usePeaks(load: Load, fromMs: number, toMs: number): readonly number[] {
  const known = useRef(new Map<number, number>());
  const [peaks, setPeaks] = useState<readonly number[]>([]);
  useEffect(() => {
    let gone = false;
    const [first, end] = [Math.floor(fromMs / BAR_MS), Math.floor(toMs / BAR_MS)];
    let next = first;
    while (next < end && known.current.has(next)) next++;
    const show = () => {
      const bars = Array.from({ length: Math.max(0, end - first) }, (_, n) => first + n);
      if (!gone) setPeaks(bars.flatMap((bar) => known.current.get(bar) ?? []));
    };
    show();
    if (next >= end) return;
    const fetchThem = () =>
      load(next * BAR_MS, end * BAR_MS)
        .then((blob) => blob.arrayBuffer())
        .then((wav) => {
          for (const [n, peak] of peaksOf(wav, end - next).entries()) {
            known.current.set(next + n, peak);
          }
          show();
        })
        .catch(() => undefined); // the bar below tells the position all the same
    const timer = setTimeout(() => void fetchThem(), PATIENCE_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [load, fromMs, toMs]);
  return peaks;
}
