/** Values of an open transcript as React sees them. */

import { useEffect, useState } from "react";
import type { SharedTranscript, TranscriptEvents } from "trax-client/transcript";

type Told = Omit<TranscriptEvents, "denied" | "error" | "notes">;

/**
 * What stands now, kept up to date; read at most once a frame.
 *
 * @param alike - Whether what stands now is as good as what stood: then nothing is drawn anew.
 */
export function useShared<K extends keyof Told>(
  transcript: SharedTranscript,
  part: K,
  alike: (one: Told[K], other: Told[K]) => boolean = Object.is,
): Told[K] {
  const [value, setValue] = useState<Told[K]>(() => transcript[part] as Told[K]);
  useEffect(() => {
    let frame = 0;
    const read = () => {
      frame = 0;
      const now = transcript[part] as Told[K];
      setValue((known) => (alike(known, now) ? known : now));
    };
    read();
    const stop = transcript.onChange(part, () => {
      frame ||= requestAnimationFrame(read);
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [transcript, part, alike]);
  return value;
}

/** Whether remarks say the same in the same order; where they stand changes with each key. */
export function sayAlike<T extends { readonly place: unknown }>(
  some: readonly T[],
  others: readonly T[],
): boolean {
  const said = (remarks: readonly T[]) =>
    JSON.stringify(remarks.map((each) => ({ ...each, place: null })));
  return some.length === others.length && said(some) === said(others);
}

/** Whether nothing was said or typed yet; costs nothing while it is typed. */
export function useEmpty(transcript: SharedTranscript): boolean {
  const [empty, setEmpty] = useState(transcript.text.length === 0);
  useEffect(() => {
    const look = () => setEmpty(transcript.text.length === 0);
    look();
    transcript.text.observe(look);
    return () => transcript.text.unobserve(look);
  }, [transcript]);
  return empty;
}
