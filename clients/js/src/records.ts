/**
 * What the server tells of transcripts over HTTP, and how it is read.
 *
 * Fields that are not known here are ignored: a newer server may tell more.
 */

import { ProtocolViolation } from "./errors.js";
import type { Fields } from "./fields.js";

/** A transcript, as lists show it. */
export interface TranscriptRecord {
  readonly id: string;
  readonly title: string;
  readonly language: string | null;
  /** `live` or `closed`. */
  readonly state: string;
  /** Unix time, as are `updatedMs` and `startedMs`, zero of its clock. */
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly startedMs: number;
  /** Where it ends on its clock. */
  readonly durationMs: number;
  /** Path at which its document is synchronised. */
  readonly sync: string;
}

/** How far something is that the server hears once more. */
export interface JobProgress {
  readonly id: string;
  /** `upload`, `passage`, `recording` or `stretch`. */
  readonly kind: string;
  /** `waiting`, `running`, `heard` (to be written into the document), `done`, `failed`, `cancelled`. */
  readonly state: string;
  /** In permille. */
  readonly progress: number;
  /** What went wrong at the last attempt, if anything did. */
  readonly error: string | null;
  /** The same for programs, such as `no_audio`. */
  readonly errorCode: string | null;
  /** Whether nothing happens to it any more by itself. */
  readonly over: boolean;
}

/** A transcript in a list, with its newest job, if it has any. */
export interface ListedTranscript extends TranscriptRecord {
  readonly job: JobProgress | null;
}

/** A voice, with the name and colour that people see; the name may be empty. */
export interface NamedSpeaker {
  readonly id: string;
  readonly name: string;
  readonly colour: string | null;
}

/** A session that speaks, or spoke, into a transcript; times on the transcript's clock. */
export interface MicrophoneSession {
  readonly id: string;
  readonly offsetMs: number;
  readonly durationMs: number;
  readonly microphone: string | null;
  readonly person: string | null;
  readonly live: boolean;
}

/** A hearing of a session's audio. */
export interface PassRecord {
  readonly id: string;
  readonly session: string | null;
  readonly kind: string;
  readonly state: string;
  readonly words: number;
}

/** A link into one transcript. */
export interface Link {
  readonly id: string;
  /** `editor` or `viewer`. */
  readonly role: string;
  readonly label: string;
  readonly createdMs: number;
  readonly expiresMs: number | null;
  /** Whether somebody enters by it now. */
  readonly valid: boolean;
}

/** A link that was just made: its token is told this once. */
export interface NewLink extends Link {
  readonly token: string;
  readonly sync: string;
}

/** All about a transcript, except for what it says. */
export interface TranscriptDetails extends TranscriptRecord {
  /** What one may do with it: `owner`, `editor` or `viewer`. */
  readonly role: string;
  readonly speakers: readonly NamedSpeaker[];
  readonly sessions: readonly MicrophoneSession[];
  readonly passes: readonly PassRecord[];
  /** `null` unless one asks as the owner. */
  readonly links: readonly Link[] | null;
}

/** Something that the server hears once more: a file, a passage, a session. */
export interface Job extends JobProgress {
  readonly session: string;
  /** Name of the file, if it is one that told its name. */
  readonly file: string | null;
  /** What of the file was lost, if anything was. */
  readonly damage: string | null;
}

/** A recognizer that the server has. */
export interface Model {
  /** For {@link Hearing.model}. */
  readonly name: string;
  /** ISO 639-1 codes of those that it knows; `null`: many. */
  readonly languages: readonly string[] | null;
}

/** What one speaker said in one go, as people edited it. */
export interface TimedTurn {
  /** `null` for text before the first turn. */
  readonly id: string | null;
  readonly speaker: string | null;
  /** `null` where nothing was said, only typed, as is `endMs`. */
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly text: string;
}

/** What a transcript says at one moment. */
export interface Reading {
  readonly speakers: readonly NamedSpeaker[];
  readonly turns: readonly TimedTurn[];
  readonly notes: string;
}

/** A word as a pass over the audio heard it, before people edited it. */
export interface HeardWord {
  readonly text: string;
  /** On the transcript's clock, as is `endMs`. */
  readonly startMs: number;
  readonly endMs: number;
  /** In permille. */
  readonly confidence: number;
}

/** Words of one pass that follow each other; `first` is the number of the first of them. */
export interface HeardPass {
  readonly id: string;
  readonly session: string | null;
  readonly kind: string;
  readonly first: number;
  readonly words: readonly HeardWord[];
}

export function readTranscript(fields: Fields): TranscriptRecord {
  return {
    id: fields.text("id"),
    title: fields.text("title"),
    language: fields.textOrNull("language"),
    state: fields.text("state"),
    createdMs: fields.count("created_ms"),
    updatedMs: fields.count("updated_ms"),
    startedMs: fields.count("started_ms"),
    durationMs: fields.count("duration_ms"),
    sync: fields.text("sync"),
  };
}

export function readSpeaker(fields: Fields): NamedSpeaker {
  return {
    id: fields.text("id"),
    name: fields.text("name"),
    colour: fields.textOrNull("colour"),
  };
}

export function readDetails(fields: Fields): TranscriptDetails {
  return {
    ...readTranscript(fields),
    role: fields.text("role"),
    speakers: fields.items("speakers").map(readSpeaker),
    sessions: fields.items("sessions").map((each) => ({
      id: each.text("id"),
      offsetMs: each.count("offset_ms"),
      durationMs: each.count("duration_ms"),
      microphone: each.textOrNull("microphone"),
      person: each.textOrNull("person"),
      live: each.flag("live"),
    })),
    passes: fields.items("passes").map((each) => ({
      id: each.text("id"),
      session: each.textOrNull("session"),
      kind: each.text("kind"),
      state: each.text("state"),
      words: each.count("words"),
    })),
    links: fields.raw("links") === null ? null : fields.items("links").map(readLink),
  };
}

export function readLink(fields: Fields): Link {
  return {
    id: fields.text("id"),
    role: fields.text("role"),
    label: fields.text("label"),
    createdMs: fields.count("created_ms"),
    expiresMs: fields.countOrNull("expires_ms"),
    valid: fields.flag("valid"),
  };
}

export function readNewLink(fields: Fields): NewLink {
  return { ...readLink(fields), token: fields.text("token"), sync: fields.text("sync") };
}

export function readListed(fields: Fields): ListedTranscript {
  const job = fields.withinOrNull("job");
  return { ...readTranscript(fields), job: job && readProgress(job) };
}

export function readJob(fields: Fields): Job {
  const file = fields.withinOrNull("file");
  return {
    ...readProgress(fields),
    session: fields.text("session"),
    file: file?.textOrNull("name") ?? null,
    damage: file?.textOrNull("damage") ?? null,
  };
}

function readProgress(fields: Fields): JobProgress {
  const error = fields.withinOrNull("error");
  const state = fields.text("state");
  return {
    id: fields.text("id"),
    kind: fields.text("kind"),
    state,
    progress: fields.count("progress"),
    error: error?.text("message") ?? null,
    errorCode: error?.text("code") ?? null,
    over: ["done", "failed", "cancelled"].includes(state),
  };
}

export function readModel(fields: Fields): Model {
  const some = fields.raw("languages") !== null;
  const languages = some
    ? fields.list("languages").filter((code) => typeof code === "string")
    : null;
  return { name: fields.text("name"), languages };
}

export function readReading(fields: Fields): Reading {
  return {
    speakers: fields.items("speakers").map(readSpeaker),
    turns: fields.items("turns").map((each) => ({
      id: each.textOrNull("id"),
      speaker: each.textOrNull("speaker"),
      startMs: each.countOrNull("start_ms"),
      endMs: each.countOrNull("end_ms"),
      text: each.text("text"),
    })),
    notes: fields.textOrNull("notes") ?? "",
  };
}

export function readPass(fields: Fields): HeardPass {
  return {
    id: fields.text("id"),
    session: fields.textOrNull("session"),
    kind: fields.text("kind"),
    first: fields.count("first"),
    words: fields.list("words").map(readWord),
  };
}

function readWord(row: unknown): HeardWord {
  const [text, startMs, endMs, confidence] = Array.isArray(row) ? (row as unknown[]) : [];
  const numbers = [startMs, endMs, confidence].every((each) => Number.isSafeInteger(each));
  if (typeof text !== "string" || !numbers) {
    throw new ProtocolViolation("[text, start, end, confidence]", "a word of another form");
  }
  return {
    text,
    startMs: startMs as number,
    endMs: endMs as number,
    confidence: confidence as number,
  };
}
