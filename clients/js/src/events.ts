/**
 * What the server says, as plain values told apart by `type`.
 *
 * Names are the protocol's in camel case (`speechStart` is `speech_start`, `startMs` is `start_ms`);
 * `clients/PROTOCOL.md` is the whole story. Times are milliseconds from the session's first sample,
 * confidence is permille. Durable events, those with `seq`, come exactly once and in order, whatever
 * happens to the connection; `partial` and `stats` are of the moment.
 */

/** One word. */
export interface Word {
  /** With its own spacing (`" thing"`): join texts without a separator. */
  readonly text: string;
  readonly startMs: number;
  /** May equal `startMs`. */
  readonly endMs: number;
  /** The model's probability in permille: a hint, not an error detector. */
  readonly confidence: number;
  /** `S1`, `S2` ... in order of appearance, or `null` while, or if, nobody knows. */
  readonly speaker: string | null;
}

/** An utterance began; utterances count 0, 1, 2 ... */
export interface SpeechStart {
  readonly type: "speechStart";
  readonly seq: number;
  readonly utterance: number;
  readonly startMs: number;
}

/** The words of the utterance that may still change; replaces the partial before it. */
export interface Partial {
  readonly type: "partial";
  readonly utterance: number;
  /** Counts the leading words that two successive passes agree on. */
  readonly stable: number;
  readonly words: readonly Word[];
}

/** Words that stand, but for their speaker and a {@link Correction}; never empty. */
export interface Final {
  readonly type: "final";
  readonly seq: number;
  readonly utterance: number;
  readonly words: readonly Word[];
}

/** Words that lie in the span were said by `speaker` after all. */
export interface Speaker {
  readonly type: "speaker";
  readonly seq: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly speaker: string | null;
}

/** An utterance is over. */
export interface UtteranceEnd {
  readonly type: "utteranceEnd";
  readonly seq: number;
  readonly utterance: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** These words now stand for the utterance's words that lie in the span. */
export interface Correction {
  readonly type: "correction";
  readonly seq: number;
  readonly utterance: number;
  /** Which pass found them (`"utterance"`). */
  readonly pass: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly words: readonly Word[];
}

/** The language was detected and is fixed from here on. */
export interface Language {
  readonly type: "language";
  readonly seq: number;
  readonly language: string;
  readonly confidence: number;
}

/** How far the server is: audio received, audio heard, the lag, and how often it listens. */
export interface Stats {
  readonly type: "stats";
  readonly audioMs: number;
  readonly processedMs: number;
  readonly lagMs: number;
  readonly stepMs: number;
}

/** The session is complete; the last event. */
export interface Done {
  readonly type: "done";
  readonly audioMs: number;
  readonly utterances: number;
  readonly words: number;
  readonly speakers: number;
  readonly corrections: number;
}

/** Events that come exactly once and in order. */
export type DurableEvent = SpeechStart | Final | Speaker | UtteranceEnd | Correction | Language;

/** What iterating a session yields. */
export type Event = DurableEvent | Partial | Stats | Done;

/** What the server allows. */
export interface Limits {
  /** Largest frame from a client. */
  readonly messageBytes: number;
  /** How long a session without a client is kept. */
  readonly resumeMs: number;
  /** Longest silence of a client. */
  readonly idleMs: number;
  /** Longest session. */
  readonly sessionMs: number;
}

/** Names of the server's models. */
export interface Models {
  readonly recognizer: string;
  readonly vad: string;
  readonly diarizer: string | null;
}

/** What the session is: its id, its transcript, settings as granted, limits and models. */
export interface Ready {
  readonly type: "ready";
  readonly session: string;
  /** A secret: with it and `session` anyone may take the session over. */
  readonly token: string;
  /** Id of the transcript that is spoken into, also of a new one. */
  readonly transcript: string | null;
  /** Path on the server at which any Yjs client joins the transcript. */
  readonly sync: string | null;
  /** Of the latest connection, as are `until`, `resumed` and `ended`. */
  readonly next: number;
  readonly until: number;
  readonly resumed: boolean;
  /** Whether the session takes no more audio: it was ended before. */
  readonly ended: boolean;
  readonly language: string;
  readonly lookaheadMs: number;
  readonly maxDelayMs: number;
  readonly diarization: boolean;
  readonly diarizationLatencyMs: number | null;
  readonly finals: string;
  readonly limits: Limits;
  readonly models: Models;
}

/** Audio before `samples` is stored; audio before `until` may be sent. */
export interface Ack {
  readonly type: "ack";
  readonly samples: number;
  readonly until: number;
}

/** Answers our `ping`. */
export interface Pong {
  readonly type: "pong";
  readonly id: number;
}

/** Why the server ends the connection; seen by callers as a `SessionError`. */
export interface ErrorMessage {
  readonly type: "error";
  readonly code: string;
  readonly message: string;
  readonly expected: string;
  readonly got: string;
  readonly retry: boolean;
  readonly retryAfterMs: number | null;
}

/** Anything that a server says. */
export type ServerMessage = Event | Ready | Ack | Pong | ErrorMessage;

/** Whether a word's middle lies in a span, ends included: the protocol's rule. */
export function liesIn(word: Word, startMs: number, endMs: number): boolean {
  const middle = word.startMs + word.endMs;
  return 2 * startMs <= middle && middle <= 2 * endMs;
}
