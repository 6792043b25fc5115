/** The shape of the sound of a part; a click there hears it. */

import { clock } from "../format";
import { barOf, type ShownPart } from "./peaks";
import { BAR_MS, type Load, usePeaks } from "./usePeaks";

interface Props {
  readonly positionMs: number;
  readonly part: ShownPart;
  readonly load: Load;
  readonly seek: (ms: number, play?: boolean) => void;
}

const TALL = 56;

export function Waveform({ positionMs, part, load, seek }: Props) {
  const { fromMs, toMs, shownMs } = part;
  const bars = Math.ceil(shownMs / BAR_MS);
  const { left, wide } = barOf(bars);
  const peaks = usePeaks(load, fromMs, toMs);
  const heard = Math.max(0, Math.ceil((positionMs - fromMs) / BAR_MS));
  const drawn = (from: number, to: number) =>
    peaks
      .slice(from, to)
      .map((peak, n) => {
        const tall = Math.max(2, peak * TALL);
        return `M${from + n + left} ${(TALL - tall) / 2}h${wide}v${tall}h-${wide}z`;
      })
      .join("");
  return (
    <div className="waveform" aria-hidden="true">
      <span className="time">{clock(fromMs)}</span>
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: hidden from those who read titles */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the slider below is for keys */}
      <svg
        viewBox={`0 0 ${bars} ${TALL}`}
        preserveAspectRatio="none"
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const at = fromMs + ((event.clientX - box.left) / box.width) * shownMs;
          if (at < toMs) seek(at, true);
        }}
      >
        <path className="heard" d={drawn(0, heard)} />
        <path className="unheard" d={drawn(heard, bars)} />
      </svg>
      <span className="time">{clock(fromMs + shownMs)}</span>
    </div>
  );
}
