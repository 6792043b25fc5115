/** The shape of the sound in the minute around a place; a click there hears it. */

import { clock } from "../format";
import { BAR_MS, type Load, usePeaks } from "./usePeaks";

interface Props {
  readonly positionMs: number;
  /** Where the minute lies that is shown. */
  readonly aroundMs: number;
  readonly lengthMs: number;
  readonly load: Load;
  readonly seek: (ms: number, play?: boolean) => void;
}

/** A minute of sound is 1.9 MB. */
const WINDOW_MS = 60_000;
const BARS = WINDOW_MS / BAR_MS;
const TALL = 56;

export function Waveform({ positionMs, aroundMs, lengthMs, load, seek }: Props) {
  const fromMs = Math.floor(aroundMs / WINDOW_MS) * WINDOW_MS;
  const toMs = Math.min(fromMs + WINDOW_MS, Math.floor(lengthMs));
  const peaks = usePeaks(load, fromMs, toMs);
  const heard = Math.max(0, Math.ceil((positionMs - fromMs) / BAR_MS));
  const drawn = (from: number, to: number) =>
    peaks
      .slice(from, to)
      .map((peak, n) => {
        const tall = Math.max(2, peak * TALL);
        return `M${from + n + 0.15} ${(TALL - tall) / 2}h.7v${tall}h-.7z`;
      })
      .join("");
  return (
    <div className="waveform" aria-hidden="true">
      <span className="time">{clock(fromMs)}</span>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the slider below is for keys */}
      <svg
        viewBox={`0 0 ${BARS} ${TALL}`}
        preserveAspectRatio="none"
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const at = fromMs + ((event.clientX - box.left) / box.width) * WINDOW_MS;
          if (at < toMs) seek(at, true);
        }}
      >
        <path className="heard" d={drawn(0, heard)} />
        <path className="unheard" d={drawn(heard, BARS)} />
      </svg>
      <span className="time">{clock(fromMs + WINDOW_MS)}</span>
    </div>
  );
}
