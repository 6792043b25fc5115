/** Playback: play, skip by seconds or turns, speed, position. */

import { clock } from "../format";
import { useSay } from "../i18n";
import { partAround, shareOf } from "./peaks";
import type { Load } from "./usePeaks";
import { type Player, SPEEDS } from "./usePlayer";
import { Waveform } from "./Waveform";

interface Props {
  readonly player: Player;
  readonly skipTurn: (direction: -1 | 1) => void;
  readonly load: Load;
  /** Whether more is said now: as long as nobody listens, the newest minute is shown. */
  readonly live: boolean;
  /** Whether a click on a word plays it; `null`: always. */
  readonly clicks: boolean | null;
  readonly onClicks: (clicks: boolean) => void;
}

export function PlayerBar({ player, skipTurn, load, live, clicks, onClicks }: Props) {
  const say = useSay();
  const { playing, positionMs, lengthMs, speed } = player;
  const newest = live && !playing && positionMs === 0;
  const part = partAround(newest ? lengthMs : positionMs, lengthMs, live);
  const share = shareOf(part, lengthMs);
  return (
    <section className="player" aria-label={say("listen.play")}>
      <Waveform positionMs={positionMs} part={part} load={load} seek={player.seek} />
      <div className="player-row">
        <button
          type="button"
          className="icon"
          aria-label={say("listen.previous")}
          title={say("listen.previous")}
          onClick={() => skipTurn(-1)}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M6 6v12M18 6l-8 6 8 6z" />
          </svg>
        </button>
        <button
          type="button"
          className="icon play"
          aria-label={say(playing ? "listen.pause" : "listen.play")}
          onClick={player.toggle}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path className="full" d={playing ? "M7 5h4v14H7zM13 5h4v14h-4z" : "M8 5v14l11-7z"} />
          </svg>
        </button>
        <button
          type="button"
          className="icon"
          aria-label={say("listen.next")}
          title={say("listen.next")}
          onClick={() => skipTurn(1)}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M18 6v12M6 6l8 6-8 6z" />
          </svg>
        </button>
        <span className="time">{clock(positionMs)}</span>
        <span className="position">
          <input
            type="range"
            min={0}
            max={Math.max(1, Math.floor(lengthMs / 1000))}
            value={Math.floor(positionMs / 1000)}
            aria-label={say("listen.position")}
            aria-valuetext={clock(positionMs)}
            onChange={(event) => player.seek(Number(event.target.value) * 1000)}
          />
          {/* The slider is of all of it, the shape above of this part. */}
          {share && (
            <svg className="part" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
              <rect x={share.from} width={share.wide} height="1" />
            </svg>
          )}
        </span>
        <span className="time">{clock(lengthMs)}</span>
        <select
          aria-label={say("listen.speed")}
          value={speed}
          onChange={(event) => player.setSpeed(Number(event.target.value))}
        >
          {SPEEDS.map((each) => (
            <option key={each} value={each}>
              {each}×
            </option>
          ))}
        </select>
        {clicks !== null && (
          <button
            type="button"
            className="clicks"
            aria-pressed={clicks}
            title={say("listen.clicksHint")}
            onClick={() => onClicks(!clicks)}
          >
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d="M4 14v-2a8 8 0 0 1 16 0v2" />
              <rect x="3" y="14" width="4.5" height="6" rx="1.5" />
              <rect x="16.5" y="14" width="4.5" height="6" rx="1.5" />
            </svg>
            <span>{say("listen.clicks")}</span>
          </button>
        )}
      </div>
    </section>
  );
}
