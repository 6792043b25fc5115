/** The sound of a transcript: one `<audio>` element, asked for when it is first needed. */

import { useCallback, useEffect, useRef, useState } from "react";
import type { Library } from "trax-client";

export interface Player {
  readonly playing: boolean;
  readonly positionMs: number;
  readonly lengthMs: number;
  readonly speed: number;
  /** Where it is now, for what is drawn each frame. */
  readonly now: () => number;
  /** Plays from where it is, or stops there. */
  readonly toggle: () => void;
  /** Goes to a place, without a sound unless it is to `play`. */
  readonly seek: (ms: number, play?: boolean) => void;
  readonly setSpeed: (speed: number) => void;
}

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;

export function usePlayer(library: Library, id: string, knownLengthMs: number): Player {
  const element = useRef<HTMLAudioElement | null>(null);
  const [playing, setPlaying] = useState(false);
  const [positionMs, setPosition] = useState(0);
  const placed = useRef(0);
  placed.current = positionMs;
  const [loadedMs, setLoaded] = useState(0);
  const [speed, setSpeedState] = useState(1);

  const audio = useCallback(() => {
    if (element.current) return element.current;
    const made = new Audio();
    made.preload = "metadata";
    made.src = library.audioUrl(id);
    made.addEventListener("play", () => setPlaying(true));
    made.addEventListener("pause", () => setPlaying(false));
    made.addEventListener("timeupdate", () => setPosition(made.currentTime * 1000));
    made.addEventListener("loadedmetadata", () => {
      if (Number.isFinite(made.duration)) setLoaded(made.duration * 1000);
    });
    element.current = made;
    return made;
  }, [library, id]);

  useEffect(
    () => () => {
      element.current?.pause();
      element.current?.removeAttribute("src");
      element.current?.load();
      element.current = null;
    },
    [],
  );

  const seek = useCallback(
    (ms: number, play = false) => {
      // Nothing is fetched before somebody listens.
      if (!play && element.current === null) return setPosition(Math.max(0, ms));
      const sound = audio();
      const go = () => {
        sound.currentTime = Math.max(0, ms / 1000);
        setPosition(Math.max(0, ms));
        if (play) void sound.play().catch(() => setPlaying(false));
      };
      // A file ends with what was recorded when it was asked for: what was said since needs another.
      const beyond = Number.isFinite(sound.duration) && ms / 1000 > sound.duration - 0.2;
      if (beyond) {
        sound.src = `${library.audioUrl(id)}#${Date.now()}`;
        sound.load();
      }
      if (sound.readyState >= HTMLMediaElement.HAVE_METADATA && !beyond) go();
      else sound.addEventListener("loadedmetadata", go, { once: true });
      sound.playbackRate = speed;
    },
    [audio, library, id, speed],
  );

  return {
    playing,
    positionMs,
    lengthMs: Math.max(loadedMs, knownLengthMs),
    speed,
    now: useCallback(
      () => (element.current ? element.current.currentTime * 1000 : placed.current),
      [],
    ),
    toggle: () => {
      if (playing) audio().pause();
      else seek(positionMs, true);
    },
    seek,
    setSpeed: (next) => {
      audio().playbackRate = next;
      setSpeedState(next);
    },
  };
}
