/** The shape of the sound around the place that is heard; fetched only while one listens. */

import { useEffect, useRef, useState } from "react";
import { peaksOf } from "./peaks";

interface Props {
  readonly positionMs: number;
  readonly lengthMs: number;
  readonly load: (fromMs: number, toMs: number) => Promise<Blob>;
  readonly seek: (ms: number, play?: boolean) => void;
}

/** A minute of sound is 1.9 MB. */
const WINDOW_MS = 60_000;
const BARS = 240;

export function Waveform({ positionMs, lengthMs, load, seek }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [peaks, setPeaks] = useState<{ fromMs: number; values: Float32Array } | null>(null);
  const fromMs = Math.floor(positionMs / WINDOW_MS) * WINDOW_MS;
  const toMs = Math.min(fromMs + WINDOW_MS, Math.floor(lengthMs));

  useEffect(() => {
    let gone = false;
    if (toMs <= fromMs) return;
    load(fromMs, toMs)
      .then((blob) => blob.arrayBuffer())
      .then((wav) => {
        if (!gone) setPeaks({ fromMs, values: peaksOf(wav, BARS) });
      })
      .catch(() => undefined); // the bar below tells the position all the same
    return () => {
      gone = true;
    };
  }, [fromMs, toMs, load]);

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !canvas.current) return;
    const { width, height } = canvas.current;
    const style = getComputedStyle(canvas.current);
    const [ink, heard] = [style.getPropertyValue("--faint"), style.getPropertyValue("--accent")];
    context.clearRect(0, 0, width, height);
    const share = (positionMs - fromMs) / Math.max(1, toMs - fromMs);
    peaks?.values.forEach((peak, index) => {
      context.fillStyle = index / BARS < share ? heard : ink;
      const tall = Math.max(2, peak * height);
      context.fillRect((index * width) / BARS, (height - tall) / 2, width / BARS - 1, tall);
    });
  }, [peaks, positionMs, fromMs, toMs]);

  return (
    <canvas
      ref={canvas}
      className="waveform"
      width={960}
      height={56}
      aria-hidden="true"
      onClick={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        seek(fromMs + ((event.clientX - box.left) / box.width) * (toMs - fromMs), true);
      }}
    />
  );
}
