/**
 * Client of the Trax real-time transcription server: audio in, words with speakers out.
 *
 * Files in reading order: `events` (what comes), `session` (what one uses), `folding` (what was said
 * up to now), `microphone`, `library` (transcripts over HTTP, in `records`, by `uploading`),
 * `pending` (what a closed page left), `errors`. Below: `link` carries a session over connections,
 * `dialogue`, `outbox` and `continuation` are the protocol without a socket, `inbox` is events not read
 * yet, `keeping` outlives the page, by `store`, `wire` is the codec, `requests` what it encodes, `fields`
 * how it reads, `sockets`, `address` and `backoff` are how, where and when to connect. The microphone's
 * sound goes through `worklet`, `capture` and `resampling`.
 *
 * Shared transcripts are in the entry `trax-client/transcript`, because they need Yjs.
 *
 * @packageDocumentation
 */

export { Address } from "./address.js";
export { Reconnect, type ReconnectOptions } from "./backoff.js";
export * from "./errors.js";
export type * from "./events.js";
export { Folding, groupTurns, type SpokenTurn, type SpokenWord, TURN_PAUSE_MS } from "./folding.js";
export {
  type AudioOptions,
  type ExportFormat,
  type Hearing,
  Library,
  type LibraryOptions,
  type UploadOptions,
} from "./library.js";
export type { SessionState } from "./link.js";
export {
  type Level,
  MICROPHONE_RATE,
  Microphone,
  type MicrophoneDevice,
  type MicrophoneEvents,
  type MicrophoneOptions,
  type MicrophoneState,
} from "./microphone.js";
export {
  PendingSession,
  pendingSessions,
  type ResumeOptions,
  resumePending,
} from "./pending.js";
export type {
  HeardPass,
  HeardWord,
  Job,
  JobProgress,
  Link,
  ListedTranscript,
  MicrophoneSession,
  Model,
  NamedSpeaker,
  NewLink,
  PassRecord,
  Reading,
  TimedTurn,
  TranscriptDetails,
  TranscriptRecord,
} from "./records.js";
export type { Encoding, Finals, StartOptions } from "./requests.js";
export {
  type ConnectOptions,
  connect,
  Session,
  type SessionEvents,
  type SessionStats,
} from "./session.js";
export type { SocketClass } from "./sockets.js";
export { keepsSessions } from "./store.js";
export type { Progress } from "./uploading.js";
export type { Subprotocol } from "./wire.js";
