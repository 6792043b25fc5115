/** Playback: play, skip by seconds or turns, speed, position. */

import { clock } from "../format";
import { useSay } from "../i18n";
import { type Player, SPEEDS } from "./usePlayer";
import { Waveform } from "./Waveform";

interface Props {
  readonly player: Player;
  readonly skipTurn: (direction: -1 | 1) => void;
  readonly load: (fromMs: number, toMs: number) => Promise<Blob>;
}

export function PlayerBar({ player, skipTurn, load }: Props) {
  const say = useSay();
  const { playing, positionMs, lengthMs, speed } = player;
  return (
    <section className="player" aria-label={say("listen.play")}>
      {playing && <Waveform positionMs={positionMs} lengthMs={lengthMs} load={load} seek={player.seek} />}
      <div className="player-row">
        <button type="button" className="icon" aria-label={say("listen.previous")} onClick={() => skipTurn(-1)}>
          ⇤
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
        <button type="button" className="icon" aria-label={say("listen.next")} onClick={() => skipTurn(1)}>
          ⇥
        </button>
        <span className="time">{clock(positionMs)}</span>
        <input
          type="range"
          className="position"
          min={0}
          max={Math.max(1, Math.floor(lengthMs / 1000))}
          value={Math.floor(positionMs / 1000)}
          aria-label={say("listen.position")}
          aria-valuetext={clock(positionMs)}
          onChange={(event) => player.seek(Number(event.target.value) * 1000)}
        />
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
      </div>
    </section>
  );
}
