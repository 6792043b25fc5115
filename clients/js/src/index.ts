/**
 * Client of the Trax real-time transcription server (signatures; being filled in).
 * Shared transcripts (Yjs) will live in the entry `trax-client/transcript`.
 */
import type { Done, Event, Ready, Word, Partial, Correction, Final, Speaker, SpeechStart, Stats, UtteranceEnd, Language } from "./events.js";
import type { MicrophoneError, TraxError } from "./errors.js";

export * from "./events.js";
export * from "./errors.js";

// --- trax-client: sessions -----------------------------------------------------------------------
export type SessionState = "connecting" | "live" | "reconnecting" | "ended";
export interface ReconnectOptions { firstMs?: number; longestMs?: number; giveUpMs?: number | null; handshakeMs?: number }
export interface StartOptions {
  transcript?: string; person?: string; microphone?: string; language?: string; lookaheadMs?: number;
  maxDelayMs?: number; diarization?: boolean; diarizationLatencyMs?: number; hotwords?: readonly string[];
  partials?: boolean; finals?: "word" | "utterance"; sampleRate?: number; encoding?: "pcm_s16le" | "pcm_f32le";
}
export interface ConnectOptions extends StartOptions {
  token?: string; subprotocol?: "trax.v1.msgpack" | "trax.v1.json"; reconnect?: ReconnectOptions;
  /** Constructor to use where there is no global one (`ws` in Node 20). */
  WebSocket?: unknown;
  /** Most audio that waits unacknowledged, default 10 min. */ keepMs?: number;
  /** Keep unacknowledged audio in IndexedDB; default: where there is one. */ persist?: boolean;
  signal?: AbortSignal;
}
export interface SessionEvents {
  ready: Ready; partial: Partial; final: Final; speaker: Speaker; correction: Correction;
  utteranceEnd: UtteranceEnd; speechStart: SpeechStart; language: Language; stats: Stats; done: Done;
  error: TraxError; state: SessionState;
}
export interface SessionStats {
  takenMs: number; acknowledgedMs: number; processedMs: number; lagMs: number; reconnections: number;
}
export declare class Session implements AsyncIterable<Event> {
  readonly info: Ready; readonly transcript: string | null; readonly state: SessionState; readonly stats: SessionStats;
  /** Resolves when the session is done, rejects with why it ended before. */
  readonly finished: Promise<Done>;
  /** Returns how to stop listening. */
  on<K extends keyof SessionEvents>(type: K, listener: (event: SessionEvents[K]) => void): () => void;
  send(pcm: ArrayBuffer | ArrayBufferView): Promise<void>;
  finalize(): void; end(): void; close(): Promise<void>;
  [Symbol.asyncIterator](): AsyncIterator<Event>;
  static pending(): Promise<PendingSession[]>;
}
export declare class PendingSession {
  readonly session: string; readonly transcript: string | null; readonly unacknowledgedMs: number; readonly updatedMs: number;
  resume(url: string | URL, options?: ConnectOptions): Promise<Session>;
  /** The audio as WAV: to upload it where the server does not know the session any more. */
  audio(): Promise<Blob>;
  discard(): Promise<void>;
}
export declare function connect(url: string | URL, options?: ConnectOptions): Promise<Session>;

// --- folding -------------------------------------------------------------------------------------
export interface SpokenWord { word: Word; utterance: number; corrected: boolean }
export interface SpokenTurn { speaker: string | null; words: readonly SpokenWord[]; startMs: number; endMs: number; text: string }
export declare class Folding {
  partial: Partial | null; language: string | null; corrections: number; openUtterance: number | null;
  readonly words: readonly SpokenWord[]; readonly text: string; readonly speakers: readonly string[];
  apply(event: Event): void; turns(firstWord?: number): SpokenTurn[];
}

// --- microphone ----------------------------------------------------------------------------------
export interface MicrophoneOptions {
  deviceId?: string; echoCancellation?: boolean; noiseSuppression?: boolean; autoGainControl?: boolean;
  blockMs?: number; silentAfterMs?: number; workletUrl?: string | URL;
}
export interface MicrophoneEvents {
  /** 16 kHz mono pcm_s16le, about 100 ms. */ audio: Uint8Array;
  /** 0..1 each, of the last block. */ level: { rms: number; peak: number };
  error: MicrophoneError;
  /** A "silent" error is over: there is a signal again. */ signal: undefined;
}
export declare class Microphone {
  static open(options?: MicrophoneOptions): Promise<Microphone>;
  static devices(): Promise<{ id: string; label: string }[]>;
  static onDevicesChanged(listener: () => void): () => void;
  readonly label: string; readonly deviceId: string; readonly sampleRate: 16000;
  /** Sends silence, so that the clock goes on. */ muted: boolean;
  /** Sends nothing. */ paused: boolean;
  on<K extends keyof MicrophoneEvents>(type: K, listener: (event: MicrophoneEvents[K]) => void): () => void;
  /** Sends all audio to a session. */ pipe(session: Session): () => void;
  close(): Promise<void>;
}

// --- library -------------------------------------------------------------------------------------
export interface TranscriptRecord {
  id: string; title: string; language: string | null; state: "live" | "closed"; createdMs: number;
  updatedMs: number; startedMs: number; durationMs: number; sync: string;
}
export interface Job {
  id: string; kind: string; state: "waiting" | "running" | "heard" | "done" | "failed" | "cancelled";
  progress: number; session: string; error: string | null; file: string | null; damage: string | null;
}
export interface Hearing { language?: string; model?: string; hotwords?: readonly string[]; diarization?: boolean }
export declare class Library {
  constructor(url: string | URL, options?: { token?: string; fetch?: typeof fetch; timeoutMs?: number });
  /** One page. */
  page(options?: { query?: string; limit?: number; next?: string }): Promise<{ transcripts: TranscriptRecord[]; next: string | null }>;
  transcripts(query?: string): AsyncIterable<TranscriptRecord>;
  create(options?: { title?: string; language?: string }): Promise<TranscriptRecord>;
  get(id: string): Promise<TranscriptRecord & { speakers: unknown[]; sessions: unknown[]; passes: unknown[]; links: unknown[] | null }>;
  read(id: string): Promise<unknown>;
  change(id: string, changes: { title?: string; language?: string; state?: "live" | "closed" }): Promise<TranscriptRecord>;
  delete(id: string): Promise<void>;
  words(id: string, pass?: string): Promise<unknown>;
  audioUrl(id: string, options?: { fromMs?: number; toMs?: number; session?: string; download?: boolean }): string;
  exportUrl(id: string, format: string): string;
  export(id: string, format: string): Promise<Blob>;
  upload(id: string, file: Blob, options?: { name?: string; atMs?: number; hearing?: Hearing; onProgress?: (sent: number, total: number) => void; signal?: AbortSignal }): Promise<Job>;
  jobs(id: string): AsyncIterable<Job>;
  job(id: string, job: string): Promise<Job>;
  watch(id: string, job: string, options?: { signal?: AbortSignal }): AsyncIterable<Job>;
  cancel(id: string, job: string): Promise<Job>;
  retry(id: string, job: string): Promise<Job>;
  retranscribe(id: string, fromMs: number, toMs: number, options?: { session?: string; hearing?: Hearing }): Promise<Job[]>;
  links(id: string): Promise<unknown[]>;
  createLink(id: string, link: { role: "editor" | "viewer"; label?: string; expiresMs?: number }): Promise<{ id: string; token: string; sync: string }>;
  endLink(id: string, link: string): Promise<void>;
}

// --- trax-client/transcript ----------------------------------------------------------------------
// openTranscript(url, id, { token, WebSocket, reconnect, offline?: boolean, signal }): Promise<SharedTranscript>
// class SharedTranscript {
//   id; doc: Y.Doc; text: Y.Text; notes: Y.Text; awareness: Awareness; undoManager: Y.UndoManager
//   state: "connecting" | "live" | "reconnecting" | "ended"; denied: Forbidden | null; saving: boolean
//   turns: Turn[] {id, start, end, text, speaker, name, runs}; speakers; suggestions; comments; tags; meta {title, language, state};
//   partials: Saying[]; people: Person[]          positions: UTF-16 units of text
//   on("turns"|"speakers"|"suggestions"|"comments"|"tags"|"notes"|"meta"|"partials"|"people"|"state"|"saved"|"denied"|"error", listener): () => void
//   insert, delete, replace, splitTurn(pos, speaker?) -> id, joinTurns(turn), chooseSpeaker(turn, speaker),
//   nameSpeaker(speaker, {name?, colour?}), mergeSpeakers(from, into), highlight(start, end, colour|null),
//   accept(id), dismiss(id), findSuggestion(id) -> [start, end] | null,
//   comment(start, end, text, author) -> id, reply(comment, text, author), resolveComment, editComment, deleteComment,
//   tag(start, end, label) -> id, untag(id), undo(), redo(), show({name, colour}), saved(): Promise<void>, close()
// }
