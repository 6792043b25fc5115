/** The microphone of this page: on, muted, paused, off; and the session that it speaks into. */

import { useCallback, useEffect, useRef, useState } from "react";
import { connect, type Level, Microphone, MicrophoneError, type Session } from "trax-client";
import workletUrl from "../../../src/worklet.ts?worker&url";
import { SERVER, tokenFor } from "../server";
import type { Wishes } from "./wishes";

export type Phase = "off" | "starting" | "recording" | "muted" | "paused" | "ending";

export interface Recording {
  readonly phase: Phase;
  readonly device: string;
  readonly lagMs: number;
  readonly reconnecting: boolean;
  readonly error: unknown;
  readonly onLevel: (listener: (level: Level) => void) => () => void;
  readonly start: (deviceId: string, wishes: Wishes) => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly mute: (muted: boolean) => void;
  readonly pause: (paused: boolean) => void;
}

export function useRecording(id: string): Recording {
  const [phase, setPhase] = useState<Phase>("off");
  const [device, setDevice] = useState("");
  const [lagMs, setLagMs] = useState(0);
  const [reconnecting, setReconnecting] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const open = useRef<{ microphone: Microphone; session: Session } | null>(null);
  const levels = useRef(new Set<(level: Level) => void>());

  const stop = useCallback(async () => {
    const current = open.current;
    if (!current) return;
    open.current = null;
    setPhase("ending");
    await current.microphone.close();
    current.session.end();
    await current.session.finished.catch(setError);
    setReconnecting(false);
    setPhase("off");
  }, []);

  const start = useCallback(
    async (deviceId: string, wishes: Wishes) => {
      setPhase("starting");
      setError(null);
      let microphone: Microphone | null = null;
      try {
        microphone = await Microphone.open({
          workletUrl: new URL(workletUrl, document.baseURI),
          ...(deviceId ? { deviceId } : {}),
        });
        const session = await connect(SERVER, {
          token: tokenFor(id),
          transcript: id,
          language: wishes.language,
          lookaheadMs: wishes.lookaheadMs,
          diarization: wishes.diarization,
          hotwords: wishes.hotwords,
          ...(wishes.finals === "utterance" ? { finals: "utterance" as const } : {}),
          ...(microphone.label ? { microphone: printable(microphone.label) } : {}),
          partials: true,
        });
        open.current = { microphone, session };
        setDevice(microphone.label);
        microphone.on("level", (level) => levels.current.forEach((tell) => tell(level)));
        microphone.on("error", (failed) => {
          setError(failed);
          if (failed.reason !== "silent") void stop();
        });
        microphone.on("signal", () => setError(null));
        session.on("stats", (stats) => setLagMs(stats.lagMs));
        session.on("state", (state) => setReconnecting(state === "reconnecting"));
        session.finished.catch((failed: unknown) => {
          setError(failed);
          void stop();
        });
        microphone.pipe(session);
        setPhase("recording");
      } catch (failed) {
        await microphone?.close();
        setError(failed);
        setPhase("off");
      }
    },
    [id, stop],
  );

  useEffect(() => () => void stop(), [stop]);

  return {
    phase,
    device,
    lagMs,
    reconnecting,
    error,
    onLevel: useCallback((listener) => {
      levels.current.add(listener);
      return () => levels.current.delete(listener);
    }, []),
    start,
    stop,
    mute: (muted) => {
      if (!open.current) return;
      open.current.microphone.muted = muted;
      setPhase(muted ? "muted" : "recording");
    },
    pause: (paused) => {
      if (!open.current) return;
      open.current.microphone.paused = paused;
      setPhase(paused ? "paused" : "recording");
    },
  };
}

export const isSilence = (error: unknown) =>
  error instanceof MicrophoneError && error.reason === "silent";

function printable(label: string): string {
  return label.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, "").trim().slice(0, 100) || "microphone";
}
