/** In few words, how things are. */

import type { SharedTranscript } from "trax-client/transcript";
import { type Say, useSay } from "../i18n";
import type { Recording } from "./useRecording";
import { useShared } from "./useShared";

/** Lag from which on it is said. */
const LAG_MS = 2_500;
const BEHIND_MS = 6_000;

export function StatusLine({
  transcript,
  recording,
}: {
  transcript: SharedTranscript;
  recording: Recording;
}) {
  const say = useSay();
  const state = useShared(transcript, "state");
  const saving = useShared(transcript, "saving");
  const [mood, text] = describe(state, saving, recording, say);
  return (
    <span className={`status ${mood}`} role="status">
      <span className="dot" aria-hidden="true" />
      {text}
    </span>
  );
}

export function describe(
  state: string,
  saving: boolean,
  { phase, reconnecting, lagMs }: Pick<Recording, "phase" | "reconnecting" | "lagMs">,
  say: Say,
): [mood: "good" | "busy" | "bad", text: string] {
  const speaks = phase === "recording" || phase === "muted" || phase === "paused";
  if (speaks && reconnecting) return ["bad", say("status.reconnectingAudio")];
  if (state === "reconnecting") return ["bad", say("status.reconnecting")];
  if (state === "connecting") return ["busy", say("status.connecting")];
  if (state === "ended") return ["bad", say("status.ended")];
  const seconds = (lagMs / 1000).toFixed(0);
  if (speaks && lagMs > BEHIND_MS) return ["busy", say("status.catchingUp", { seconds })];
  if (phase === "muted" || phase === "paused") return ["busy", say(`status.${phase}`)];
  if (phase === "recording" && lagMs > LAG_MS) return ["good", say("status.lag", { seconds })];
  if (phase === "recording") return ["good", say("status.recording")];
  return saving ? ["busy", say("status.saving")] : ["good", say("status.live")];
}
