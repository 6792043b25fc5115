/** Microphone, language, the dial between quick and sure, speakers, vocabulary. */

import type { MicrophoneDevice } from "trax-client";
import { useSay } from "../i18n";
import { LanguageOptions } from "./LanguageOptions";
import { asHotwords, DIAL, dialOf, type Wishes } from "./wishes";

interface Props {
  readonly wishes: Wishes;
  readonly running: boolean;
  readonly devices: readonly MicrophoneDevice[];
  readonly device: string;
  readonly onDevice: (id: string) => void;
  readonly onChange: (wishes: Wishes) => void;
}

export function HearingSettings({ wishes, running, devices, device, onDevice, onChange }: Props) {
  const say = useSay();
  const dial = dialOf(wishes);
  return (
    <div className="settings">
      <label>
        {say("mic.device")}
        <select value={device} onChange={(event) => onDevice(event.target.value)}>
          <option value="">{say("mic.default")}</option>
          {devices
            .filter(({ id }) => id !== "default")
            .map(({ id, label }) => (
              <option key={id} value={id}>
                {label || id}
              </option>
            ))}
        </select>
      </label>
      <label>
        {say("set.language")}
        <select
          value={wishes.language}
          onChange={(event) => onChange({ ...wishes, language: event.target.value })}
        >
          <option value="auto">{say("set.auto")}</option>
          <LanguageOptions />
        </select>
      </label>
      <label className="wide">
        {say("dial.title")}
        <input
          type="range"
          min={0}
          max={DIAL.length - 1}
          step={1}
          value={dial}
          aria-valuetext={say(`dial.${DIAL[dial]?.name ?? "balanced"}`)}
          onChange={(event) => {
            const chosen = DIAL[Number(event.target.value)];
            if (chosen) {
              onChange({ ...wishes, lookaheadMs: chosen.lookaheadMs, finals: chosen.finals });
            }
          }}
        />
        <small>{say(`dial.${DIAL[dial]?.name ?? "balanced"}`)}</small>
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={wishes.diarization}
          onChange={(event) => onChange({ ...wishes, diarization: event.target.checked })}
        />
        {say("set.diarization")}
      </label>
      <label className="wide">
        {say("set.vocabulary")}
        <input
          type="text"
          defaultValue={wishes.hotwords.join(", ")}
          onBlur={(event) => onChange({ ...wishes, hotwords: asHotwords(event.target.value) })}
        />
      </label>
      {running && <small className="wide">{say("set.next")}</small>}
    </div>
  );
}
