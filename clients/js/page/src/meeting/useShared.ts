/** Values of an open transcript as React sees them. */

import { useEffect, useRef, useState } from "react";
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
  const shown = useRef(value);
  useEffect(() => {
    let frame = 0;
    const read = () => {
      frame = 0;
      const now = transcript[part] as Told[K];
      // Not told to React: until it draws, it keeps each update, also those that change nothing.
      if (alike(shown.current, now)) return;
      shown.current = now;
      setValue(now);
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

/**
 * Whether remarks are the same ones in the same order; where they stand changes with each key. Their
 * replies are the same list as long as nobody changes a remark.
 */
export function sayAlike<T extends { readonly place: unknown }>(
  some: readonly T[],
  others: readonly T[],
): boolean {
  return some.length === others.length && some.every((one, at) => equal(one, others[at] as T));
}

function equal<T extends { readonly place: unknown }>(one: T, other: T): boolean {
  const fields = Object.keys(one) as (keyof T)[];
  return fields.every((field) => field === "place" || Object.is(one[field], other[field]));
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
