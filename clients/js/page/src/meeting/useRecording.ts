/** The microphone of this page: on, muted, paused, off; and the session that it speaks into. */

import { useCallback, useEffect, useRef, useState } from "react";
import { EventsMissed, type Level, Microphone, type Session, type SessionState } from "trax-client";
import workletUrl from "../../../src/worklet.ts?worker&url";
import { askBeforeLeaving } from "../leaving";
import { SERVER, tokenFor } from "../server";
import { fetchSpeech } from "./fetchSpeech";
import { EMPTY_BYTES, type Refused } from "./refused";
import { useAwake } from "./useAwake";
import type { Wishes } from "./wishes";

/** So long an outage may last: what is said meanwhile is kept, at 2 MB a minute. */
const OUTAGE_MS = 30 * 60_000;

export type Phase = "off" | "starting" | "recording" | "muted" | "paused" | "ending";

export interface Recording {
  readonly phase: Phase;
  readonly device: string;
  readonly lagMs: number;
  readonly reconnecting: boolean;
  /** What is being done about recordings that were stopped before all of them had arrived. */
  readonly outgoing: "sending" | "waiting" | null;
  /** A long outage is over, and the rest of the recording is one of its own. */
  readonly renewed: boolean;
  /** Audio that the server does not have yet is lost with the page. */
  readonly unkept: boolean;
  /** What recordings that failed did not send, and this browser does not keep. */
  readonly lost: readonly Refused[];
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
  const [renewed, setRenewed] = useState(false);
  const [unkept, setUnkept] = useState(false);
  const [lost, setLost] = useState<readonly Refused[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [outgoing, send] = useOutgoing();
  const open = useRef<{ microphone: Microphone; session: Session } | null>(null);
  const starting = useRef<AbortController | null>(null);
  const levels = useRef(new Set<(level: Level) => void>());

  const stop = useCallback(async () => {
    starting.current?.abort();
    const current = open.current;
    if (!current) return;
    open.current = null;
    setPhase("ending");
    await current.microphone.close();
    current.session.end();
    // Nobody has to wait for a server that is away.
    await send(current.session);
    setReconnecting(false);
    setPhase("off");
  }, [send]);

  const start = useCallback(
    async (deviceId: string, wishes: Wishes) => {
      setPhase("starting");
      setError(null);
      setRenewed(false);
      setUnkept(false);
      const controller = new AbortController();
      starting.current = controller;
      const { signal } = controller;
      const speech = fetchSpeech();
      speech.catch(() => undefined); // is told below
      let microphone: Microphone | null = null;
      try {
        microphone = await Microphone.open({
          workletUrl: new URL(workletUrl, document.baseURI),
          ...(deviceId ? { deviceId } : {}),
        });
        // Whoever left the page meanwhile does not want to be heard.
        signal.throwIfAborted();
        const failing = new Promise<never>((_, reject) =>
          microphone?.on("error", (failed) => failed.reason !== "silent" && reject(failed)),
        );
        failing.catch(() => undefined); // is told below
        const { label } = microphone;
        const recordedMs = Date.now();
        const early: Uint8Array[] = [];
        const stopKeeping = microphone.on("audio", (pcm) => early.push(pcm));
        const connecting = speech.then(({ connect }) =>
          connect(SERVER, {
            signal,
            reconnect: { giveUpMs: OUTAGE_MS },
            keepMs: OUTAGE_MS,
            token: tokenFor(id),
            recordedMs,
            transcript: id,
            language: wishes.language,
            lookaheadMs: wishes.lookaheadMs,
            diarization: wishes.diarization,
            hotwords: wishes.hotwords,
            ...(wishes.finals === "utterance" ? { finals: "utterance" as const } : {}),
            ...(label ? { microphone: printable(label) } : {}),
            partials: true,
          }),
        );
        connecting.then(
          (late) => signal.aborted && void late.close(),
          () => undefined,
        );
        const session = await Promise.race([connecting, failing]);
        signal.throwIfAborted();
        starting.current = null;
        stopKeeping();
        for (const pcm of early) session.send(pcm).catch(setError);
        open.current = { microphone, session };
        askBeforeLeaving(session);
        setDevice(label);
        microphone.on("level", (level) => {
          for (const tell of levels.current) tell(level);
        });
        microphone.on("error", (failed) => {
          setError(failed);
          if (failed.reason !== "silent") void stop();
        });
        microphone.on("signal", () => setError(null));
        // One that was stopped may go on for long, behind another.
        const isOpen = () => open.current?.session === session;
        session.on("stats", (stats) => isOpen() && setLagMs(stats.lagMs));
        session.on("state", (state) => isOpen() && setReconnecting(state === "reconnecting"));
        let last = session.info.session;
        session.on("ready", (ready) => {
          // One that was as long as may be is followed by another without a word.
          const away = session.state === "reconnecting";
          if (isOpen()) setRenewed(away && ready.session !== last);
          last = ready.session;
        });
        let kept = true;
        session.on("unkept", () => {
          kept = false;
          setUnkept(true);
        });
        session.finished.catch((failed: unknown) => {
          if (isOpen()) void stop();
          if (failed instanceof EventsMissed) return;
          setError(failed);
          if (!kept) setLost((all) => [...all, ...unsent(session, failed, setLost)]);
        });
        microphone.pipe(session, setError);
        setPhase("recording");
      } catch (failed) {
        const wanted = !signal.aborted;
        starting.current?.abort();
        await microphone?.close();
        if (wanted) setError(failed);
        setPhase("off");
      }
    },
    [id, stop],
  );

  useEffect(() => () => void stop(), [stop]);
  useAwake(phase === "recording" || phase === "muted");

  return {
    phase,
    device,
    lagMs,
    reconnecting,
    outgoing,
    renewed,
    unkept,
    lost,
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
      setPhase(phaseOf(open.current.microphone));
    },
    pause: (paused) => {
      if (!open.current) return;
      open.current.microphone.paused = paused;
      setPhase(phaseOf(open.current.microphone));
    },
  };
}

/** Sessions that were ended, and go on by themselves until all of their audio has arrived. */
function useOutgoing(): [Recording["outgoing"], (session: Session) => Promise<void>] {
  const [states, setStates] = useState<ReadonlyMap<Session, SessionState>>(new Map());
  /** Resolves when the session is over, or when its server is away. */
  const send = useCallback(
    (session: Session) =>
      new Promise<void>((resolve) => {
        const note = (state: SessionState) => {
          setStates((before) => {
            const states = new Map(before).set(session, state);
            if (state === "ended") states.delete(session);
            return states;
          });
          if (state !== "live") resolve();
        };
        if (session.state !== "ended") note(session.state);
        session.on("state", (state) => state !== "ended" && note(state));
        // Before, what did not arrive is not left to whoever looks for it.
        const ended = () => note("ended");
        session.finished.then(ended, ended);
      }),
    [],
  );
  if (states.size === 0) return [null, send];
  return [[...states.values()].includes("reconnecting") ? "waiting" : "sending", send];
}

/** What a session that failed did not send, if that is anything. */
function unsent(
  session: Session,
  why: unknown,
  change: (change: (all: readonly Refused[]) => readonly Refused[]) => void,
): Refused[] {
  const audio = session.unsent();
  if (audio.size <= EMPTY_BYTES) return [];
  const id = session.info.session;
  const discard = () => change((all) => all.filter((each) => each.session !== id));
  return [{ session: id, updatedMs: Date.now(), audio, why, discard }];
}

function phaseOf({ state }: Microphone): Phase {
  return state === "closed" ? "off" : state;
}

function printable(label: string): string {
  return (
    label
      .replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, "")
      .trim()
      .slice(0, 100) || "microphone"
  );
}
