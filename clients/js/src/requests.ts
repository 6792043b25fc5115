/** What a client says, as plain values. `connect` and `Session` make them; callers need not. */

/** How samples are written: mono, little-endian. */
export type Encoding = "pcm_s16le" | "pcm_f32le";

/** Words final one by one and corrected later, or all at the end of the utterance and for good. */
export type Finals = "word" | "utterance";

/** Size of one sample. */
export const SAMPLE_BYTES: Readonly<Record<Encoding, number>> = { pcm_s16le: 2, pcm_f32le: 4 };

/** How a session is to be; what is left out, the server chooses. */
export interface StartOptions {
  /** Id of the transcript to write into, or `"new"` to have one made. */
  readonly transcript?: string | null;
  /** The one person who speaks into this microphone: speakers are then not told apart. */
  readonly person?: string | null;
  /** What to call the microphone in the transcript. */
  readonly microphone?: string | null;
  /** Of the audio, 8000..48000. */
  readonly sampleRate?: number;
  readonly encoding?: Encoding;
  /** ISO 639-1 code, or `"auto"`. */
  readonly language?: string;
  /** Audio heard after a word before it is final, 0..5000: less is faster, more is surer. */
  readonly lookaheadMs?: number | null;
  /** A word is final at the latest this long after its end, 500..30000. */
  readonly maxDelayMs?: number | null;
  /** Tell speakers apart. */
  readonly diarization?: boolean;
  /** 500..5000; default: tied to the look-ahead. */
  readonly diarizationLatencyMs?: number | null;
  /** Words to favour. */
  readonly hotwords?: readonly string[];
  /** Whether partials are sent. */
  readonly partials?: boolean;
  readonly finals?: Finals;
}

/** Which session to go on with, and the highest `seq` seen of it. */
export interface Resume {
  readonly session: string;
  readonly token: string;
  readonly after: number;
}

/** Begins or resumes a session. */
export interface Start extends Required<StartOptions> {
  readonly type: "start";
  /** How long ago the first sample was recorded. */
  readonly ageMs: number;
  readonly resume: Resume | null;
}

/** Whole samples, the first of which is number `at`. */
export interface Audio {
  readonly type: "audio";
  readonly at: number;
  readonly pcm: Uint8Array;
}

/** Everything heard so far becomes final now. */
export interface Finalize {
  readonly type: "finalize";
}

/** No more audio follows. */
export interface End {
  readonly type: "end";
}

/** Keeps a session alive that has nothing to send. */
export interface Ping {
  readonly type: "ping";
  readonly id: number;
}

/** Anything that a client says. */
export type ClientMessage = Start | Audio | Finalize | End | Ping;

/** The first message of a new session, with every default filled in. */
export function startOf(options: StartOptions): Start {
  return {
    type: "start",
    transcript: options.transcript ?? null,
    person: options.person ?? null,
    microphone: options.microphone ?? null,
    sampleRate: options.sampleRate ?? 16_000,
    encoding: options.encoding ?? "pcm_s16le",
    language: options.language ?? "auto",
    lookaheadMs: options.lookaheadMs ?? null,
    maxDelayMs: options.maxDelayMs ?? null,
    diarization: options.diarization ?? true,
    diarizationLatencyMs: options.diarizationLatencyMs ?? null,
    hotwords: [...(options.hotwords ?? [])],
    partials: options.partials ?? true,
    finals: options.finals ?? "word",
    ageMs: 0,
    resume: null,
  };
}
