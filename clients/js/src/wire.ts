/**
 * The client's codec: requests to frames, and the server's frames to messages.
 *
 * `clients/vectors` keep it to `clients/PROTOCOL.md`. Unknown types and fields are ignored, so that
 * a newer server can talk to us. `JSON.parse` and msgpack's decoder tell neither `1.0` from `1` nor
 * a key that comes twice; the specification allows a client to accept those.
 */

import { encode as pack, decode as unpack } from "@msgpack/msgpack";
import { ProtocolViolation } from "./errors.js";
import type { ServerMessage, Word } from "./events.js";
import { Fields, isMap, kind, MAX_INTEGER } from "./fields.js";
import type { ClientMessage } from "./requests.js";

/** How messages become frames; JSON is for watching the traffic. */
export type Subprotocol = "trax.v1.msgpack" | "trax.v1.json";

/** What a WebSocket sends and receives. */
export type Frame = string | Uint8Array<ArrayBuffer>;

const MAX_DEPTH = 8;
const MAX_PERMILLE = 1_000;

/** The frame of a request. */
export function encode(message: ClientMessage, subprotocol: Subprotocol): Frame {
  if (subprotocol === "trax.v1.msgpack") return pack(onWire(message));
  if (message.type === "audio") return new Uint8Array(message.pcm);
  return JSON.stringify(onWire(message));
}

/** A message as the protocol names its fields: `sampleRate` is `sample_rate`. */
export function onWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(onWire);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      onWire(field),
    ]),
  );
}

/**
 * The message in a frame of the server, or `null` for a type that we do not know.
 *
 * @throws {@link ProtocolViolation} on anything that the protocol does not allow; nothing else.
 */
export function decode(frame: Frame, subprotocol: Subprotocol): ServerMessage | null {
  const binary = typeof frame !== "string";
  if (binary !== (subprotocol === "trax.v1.msgpack")) {
    throw new ProtocolViolation(`frames of ${subprotocol}`, "a frame of another kind");
  }
  const decoded = parse(frame);
  if (!isMap(decoded)) throw new ProtocolViolation("a map", kind(decoded));
  check(decoded, MAX_DEPTH);
  const fields = new Fields(decoded);
  const type = fields.text("type");
  const decoder = Object.hasOwn(DECODERS, type) ? DECODERS[type] : undefined;
  return decoder === undefined ? null : decoder(fields);
}

function parse(frame: Frame): unknown {
  try {
    return typeof frame === "string" ? JSON.parse(frame) : unpack(frame);
  } catch {
    throw new ProtocolViolation("one map", "something undecodable");
  }
}

/** Refuses what never goes on the wire, also within fields that we ignore. */
function check(value: unknown, levels: number): void {
  const items = Array.isArray(value) ? value : isMap(value) ? Object.values(value) : null;
  if (items !== null) {
    if (levels === 0) {
      throw new ProtocolViolation(`at most ${MAX_DEPTH} maps and lists within each other`, "more");
    }
    for (const item of items) check(item, levels - 1);
    return;
  }
  const allowed =
    value === null ||
    typeof value === "boolean" ||
    (typeof value === "string" && value.isWellFormed()) ||
    (typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= MAX_INTEGER) ||
    value instanceof Uint8Array;
  if (!allowed) {
    throw new ProtocolViolation("integers, text, bytes, lists, maps, booleans, nil", kind(value));
  }
}

function words(fields: Fields, least = 0): Word[] {
  return fields.items("words", least).map((item) => ({
    text: item.text("text"),
    startMs: item.count("start_ms"),
    endMs: item.count("end_ms"),
    confidence: item.count("confidence", 0, MAX_PERMILLE),
    speaker: item.textOrNull("speaker"),
  }));
}

function ready(fields: Fields): ServerMessage {
  const limits = fields.within("limits");
  const models = fields.within("models");
  return {
    type: "ready",
    session: fields.text("session"),
    token: fields.text("token"),
    transcript: fields.textOrNull("transcript"),
    sync: fields.textOrNull("sync"),
    next: fields.count("next"),
    until: fields.count("until"),
    resumed: fields.flag("resumed"),
    ended: fields.flagOrFalse("ended"),
    language: fields.text("language"),
    lookaheadMs: fields.count("lookahead_ms"),
    maxDelayMs: fields.count("max_delay_ms"),
    diarization: fields.flag("diarization"),
    diarizationLatencyMs: fields.countOrNull("diarization_latency_ms"),
    finals: fields.text("finals"),
    limits: {
      messageBytes: limits.count("message_bytes"),
      resumeMs: limits.count("resume_ms"),
      idleMs: limits.count("idle_ms"),
      sessionMs: limits.count("session_ms"),
    },
    models: {
      recognizer: models.text("recognizer"),
      vad: models.text("vad"),
      diarizer: models.textOrNull("diarizer"),
    },
  };
}

const seq = (fields: Fields): number => fields.count("seq", 1);
const utterance = (fields: Fields): number => fields.count("utterance");
const span = (fields: Fields) => ({
  startMs: fields.count("start_ms"),
  endMs: fields.count("end_ms"),
});

const DECODERS: Readonly<Record<string, (fields: Fields) => ServerMessage>> = {
  ready,
  ack: (f) => ({ type: "ack", samples: f.count("samples"), until: f.count("until") }),
  speech_start: (f) => ({
    type: "speechStart",
    seq: seq(f),
    utterance: utterance(f),
    startMs: f.count("start_ms"),
  }),
  partial: (f) => ({
    type: "partial",
    utterance: utterance(f),
    stable: f.count("stable"),
    words: words(f),
  }),
  final: (f) => ({ type: "final", seq: seq(f), utterance: utterance(f), words: words(f, 1) }),
  speaker: (f) => ({ type: "speaker", seq: seq(f), ...span(f), speaker: f.textOrNull("speaker") }),
  utterance_end: (f) => ({
    type: "utteranceEnd",
    seq: seq(f),
    utterance: utterance(f),
    ...span(f),
  }),
  correction: (f) => ({
    type: "correction",
    seq: seq(f),
    utterance: utterance(f),
    pass: f.text("pass"),
    ...span(f),
    words: words(f),
  }),
  language: (f) => ({
    type: "language",
    seq: seq(f),
    language: f.text("language"),
    confidence: f.count("confidence", 0, MAX_PERMILLE),
  }),
  stats: (f) => ({
    type: "stats",
    audioMs: f.count("audio_ms"),
    processedMs: f.count("processed_ms"),
    lagMs: f.count("lag_ms"),
    stepMs: f.count("step_ms"),
  }),
  pong: (f) => ({ type: "pong", id: f.count("id") }),
  done: (f) => ({
    type: "done",
    audioMs: f.count("audio_ms"),
    utterances: f.count("utterances"),
    words: f.count("words"),
    speakers: f.count("speakers"),
    corrections: f.count("corrections"),
  }),
  error: (f) => ({
    type: "error",
    code: f.text("code"),
    message: f.text("message"),
    expected: f.text("expected"),
    got: f.text("got"),
    retry: f.flag("retry"),
    retryAfterMs: f.countOrNull("retry_after_ms"),
  }),
};
