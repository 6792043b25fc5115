/** The microphone: one large button, its level, mute and pause, and how it listens. */

import { useEffect, useRef, useState } from "react";
import { Microphone, type MicrophoneDevice } from "trax-client";
import { explain } from "../errors";
import { useSay } from "../i18n";
import { fetchSpeech } from "./fetchSpeech";
import { HearingSettings } from "./HearingSettings";
import type { Recording } from "./useRecording";
import { keepWishes, keptWishes, type Wishes } from "./wishes";

interface Props {
  readonly recording: Recording;
  /** The transcript takes no more speech. */
  readonly closed: boolean;
}

export function Recorder({ recording, closed }: Props) {
  const say = useSay();
  const { phase, error, outgoing, renewed, unkept } = recording;
  const [device, setDevice] = useState(localStorage.getItem("trax.microphone") ?? "");
  const [devices, setDevices] = useState<readonly MicrophoneDevice[]>([]);
  const [wishes, setWishes] = useState<Wishes>(keptWishes);
  const [settings, setSettings] = useState(false);
  // One that was unplugged since must not stand in the way; none are known before they may be named.
  const there = devices.length === 0 || devices.some(({ id }) => id === device);
  const chosen = there ? device : "";
  const busy = phase === "starting" || phase === "ending";
  const on = phase === "recording" || phase === "muted" || phase === "paused";

  // Nobody who presses the button waits for it, or is kept from speaking by a network that is away.
  useEffect(() => void fetchSpeech().catch(() => undefined), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: names are told once it may listen
  useEffect(() => {
    const look = () => void Microphone.devices().then(setDevices);
    look();
    return Microphone.onDevicesChanged(look);
  }, [phase]);

  return (
    <section className="recorder" aria-label={say("mic.device")}>
      {error !== null && (
        <p role="alert" className="problem">
          {explain(error, say)}
        </p>
      )}
      {on && renewed && (
        <p role="status" className="hint">
          {say("mic.renewed")}
        </p>
      )}
      {phase !== "ending" && outgoing !== null && (
        <p role="status" className="hint">
          {say(outgoing === "waiting" && unkept ? "left.waitingHere" : `left.${outgoing}`)}
        </p>
      )}
      {on && unkept && (
        <p role="status" className="hint">
          {say("mic.unkept")}
        </p>
      )}
      <div className="recorder-row">
        <button
          type="button"
          className="icon"
          aria-expanded={settings}
          aria-label={say("mic.settings")}
          title={say("mic.settings")}
          onClick={() => setSettings(!settings)}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M4 7h9M17 7h3M4 17h3M11 17h9" />
            <circle cx="15" cy="7" r="2" />
            <circle cx="9" cy="17" r="2" />
          </svg>
        </button>
        {on && (
          <button
            type="button"
            className="quiet"
            onClick={() => recording.mute(phase !== "muted")}
            disabled={phase === "paused"}
          >
            {say(phase === "muted" ? "mic.unmute" : "mic.mute")}
          </button>
        )}
        <button
          type="button"
          className={`microphone ${phase}`}
          disabled={busy || (closed && !on)}
          aria-label={say(on ? "mic.stop" : "mic.start")}
          onClick={() => void (on ? recording.stop() : recording.start(chosen, wishes))}
        >
          <Meter recording={recording} />
          <svg viewBox="0 0 24 24" aria-hidden="true">
            {on ? (
              <rect x="7" y="7" width="10" height="10" rx="2" className="full" />
            ) : (
              <path d="M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM5 11a7 7 0 0 0 14 0M12 18v3" />
            )}
          </svg>
        </button>
        {on && (
          <button
            type="button"
            className="quiet"
            onClick={() => recording.pause(phase !== "paused")}
          >
            {say(phase === "paused" ? "mic.resume" : "mic.pause")}
          </button>
        )}
        {!on && <span className="hint">{say(closed ? "mic.closed" : "mic.start")}</span>}
      </div>
      {settings && (
        <HearingSettings
          wishes={wishes}
          running={on}
          devices={devices}
          device={chosen}
          onDevice={(id) => {
            localStorage.setItem("trax.microphone", id);
            setDevice(id);
          }}
          onChange={(chosen) => {
            keepWishes(chosen);
            setWishes(chosen);
          }}
        />
      )}
    </section>
  );
}

/** A ring that grows with the voice; painted without React, ten times a second. */
function Meter({ recording }: { recording: Recording }) {
  const ring = useRef<HTMLSpanElement>(null);
  const { onLevel, phase } = recording;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the ring falls when it stops
  useEffect(() => {
    const show = (value: number) => ring.current?.style.setProperty("--level", value.toFixed(3));
    show(0);
    return onLevel(({ rms }) => show(Math.min(1, Math.sqrt(rms) * 2.2)));
  }, [onLevel, phase]);
  return <span className="meter" ref={ring} aria-hidden="true" />;
}
