/** Values of an open transcript as React sees them. */

import { useEffect, useState } from "react";
import type { SharedTranscript, TranscriptEvents } from "trax-client/transcript";

type Told = Omit<TranscriptEvents, "denied" | "error" | "notes">;

/** What stands now, kept up to date; at most once a frame. */
export function useShared<K extends keyof Told>(transcript: SharedTranscript, part: K): Told[K] {
  const [value, setValue] = useState<Told[K]>(() => transcript[part] as Told[K]);
  useEffect(() => {
    let frame = 0;
    const read = () => {
      frame = 0;
      setValue(transcript[part] as Told[K]);
    };
    read();
    const stop = transcript.on(part, () => {
      frame ||= requestAnimationFrame(read);
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [transcript, part]);
  return value;
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
