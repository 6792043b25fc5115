/** The transcripts that a server keeps: list, search, make, fill, change, export, share, delete. */

import { Address } from "./address.js";
import { ProtocolViolation, ServerUnreachable, sessionError, type TraxError } from "./errors.js";
import { Fields, isMap, kind } from "./fields.js";
import {
  type HeardPass,
  type Job,
  type Link,
  type ListedTranscript,
  type Model,
  type NewLink,
  type Reading,
  readDetails,
  readJob,
  readLink,
  readListed,
  readModel,
  readNewLink,
  readPass,
  readReading,
  readTranscript,
  type TranscriptDetails,
  type TranscriptRecord,
} from "./records.js";
import { type Answer, type Progress, sendFile } from "./uploading.js";

/** What a transcript can be had as. */
export type ExportFormat = "json" | "txt" | "srt" | "vtt" | "md" | "docx" | "rttm";

/** How a recording or a passage is to be heard. */
export interface Hearing {
  /** ISO 639-1 code; default: detected. */
  readonly language?: string;
  /** Which recognizer; default: the server's choice. */
  readonly model?: string;
  readonly hotwords?: readonly string[];
  /** Whether speakers are told apart; default true. */
  readonly diarization?: boolean;
}

/** How to reach the server. */
export interface LibraryOptions {
  /** Default: the URL's `?token=`. */
  readonly token?: string | null;
  /** How long the server may take to answer, default 30 s. */
  readonly timeoutMs?: number;
}

/** A stretch of a recording. */
export interface AudioOptions {
  /** On the transcript's clock, as is `toMs`; default: all that is recorded. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** One microphone's alone; default: all of them mixed. */
  readonly session?: string;
  /** Have browsers save it instead of playing it. */
  readonly download?: boolean;
}

/** How a file is sent. */
export interface UploadOptions {
  /** What it is called; default: as the file is. */
  readonly name?: string;
  /** Where on the transcript's clock it begins; default: behind all that is recorded. */
  readonly atMs?: number;
  readonly hearing?: Hearing;
  /** Told how many bytes of how many were sent; in browsers, and at the end elsewhere. */
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

const TRANSCRIPTS = "/v1/transcripts";
const LONGEST_NAME = 200;
const WATCH_MS = 1_000;

/** The transcripts of one server; holds no connection, so that there is nothing to close. */
export class Library {
  private readonly address: Address;
  private readonly timeoutMs: number;

  /**
   * Methods throw {@link ServerUnreachable}, {@link SessionError} where the server refuses, or
   * {@link ProtocolViolation} where what answers is no server of ours.
   *
   * @param url - The URL that the server prints, token and all; in a browser also `"/"`.
   */
  constructor(url: string | URL, options: LibraryOptions = {}) {
    this.address = Address.of(url, options.token);
    this.timeoutMs = options.timeoutMs ?? 30_000;
  }

  /** One page of the transcripts, the one that changed last first; `next` asks for what follows. */
  async page(
    asked: { query?: string; limit?: number; next?: string } = {},
  ): Promise<{ transcripts: ListedTranscript[]; next: string | null }> {
    const path = asked.next ?? withQuery(TRANSCRIPTS, { q: asked.query, limit: asked.limit });
    const page = await this.ask("GET", path);
    const transcripts = page.items("transcripts").map(readListed);
    return { transcripts, next: page.textOrNull("next") };
  }

  /**
   * Iterates over the transcripts.
   *
   * @param query - Only those with these words, or beginnings of words, in title or text.
   */
  async *transcripts(query?: string): AsyncIterableIterator<ListedTranscript> {
    for await (const page of this.pages(withQuery(TRANSCRIPTS, { q: query }))) {
      yield* page.items("transcripts").map(readListed);
    }
  }

  /** Makes an empty transcript, whose clock begins now. */
  async create(wish: { title?: string; language?: string } = {}): Promise<TranscriptRecord> {
    const body = { title: wish.title ?? "", language: wish.language ?? null };
    return readTranscript(await this.ask("POST", TRANSCRIPTS, body));
  }

  /** All about a transcript, except for what it says. */
  async get(id: string): Promise<TranscriptDetails> {
    return readDetails(await this.ask("GET", pathOf(id)));
  }

  /** What a transcript says now, with the times at which it was said. */
  async read(id: string): Promise<Reading> {
    return readReading(await this.ask("GET", pathOf(id, "turns")));
  }

  /** Changes a transcript, for everybody who has it open too. */
  async change(
    id: string,
    changes: { title?: string; language?: string; state?: "live" | "closed" },
  ): Promise<TranscriptRecord> {
    return readTranscript(await this.ask("PATCH", pathOf(id), changes));
  }

  /** Deletes a transcript with its words and its recordings, for ever. */
  async delete(id: string): Promise<void> {
    await this.request("DELETE", pathOf(id));
  }

  /**
   * The words of one pass, or of each session's live one, as they were heard; of a session that
   * nobody heard live, as of a file, those of the newest.
   *
   * @param first - From which word of the pass on; the number of those that are here already.
   */
  async words(id: string, pass?: string, first = 0): Promise<HeardPass[]> {
    const passes: HeardPass[] = [];
    const cursor = pass !== undefined && first > 0 ? `${pass}.${first}` : undefined;
    for await (const page of this.pages(withQuery(pathOf(id, "words"), { pass, cursor }))) {
      passes.push(...page.items("passes").map(readPass));
    }
    return passes;
  }

  /** Where the recording can be heard, WAV; for an `<audio>` element, with the token in it. */
  audioUrl(id: string, asked: AudioOptions = {}): string {
    const { fromMs, toMs, session } = asked;
    const download = asked.download ? "1" : undefined;
    const query = { from_ms: fromMs, to_ms: toMs, session, download };
    return this.address.open(withQuery(pathOf(id, "audio"), query));
  }

  /** A stretch of the recording: WAV, 16 kHz, mono, 16 bits. */
  async audio(id: string, asked: Omit<AudioOptions, "download"> = {}): Promise<Blob> {
    const { fromMs, toMs, session } = asked;
    const query = { from_ms: fromMs, to_ms: toMs, session };
    return this.blob(withQuery(pathOf(id, "audio"), query));
  }

  /** Where a file of the transcript can be had; for a link, with the token in it. */
  exportUrl(id: string, format: ExportFormat): string {
    return this.address.open(withQuery(pathOf(id, "export"), { format }));
  }

  /** The transcript as a file: what people edited, with its times. */
  async export(id: string, format: ExportFormat): Promise<Blob> {
    return this.blob(withQuery(pathOf(id, "export"), { format }));
  }

  /**
   * Sends a recording of any usual format to a transcript; returns the job that hears it.
   *
   * The same recording again gives the same job. To be heard in another way, it has to be heard
   * first: until then that is refused.
   */
  async upload(id: string, file: Blob, options: UploadOptions = {}): Promise<Job> {
    const { language, model, hotwords, diarization } = options.hearing ?? {};
    const name = options.name ?? ("name" in file ? String(file.name) : undefined);
    const query = {
      filename: name?.slice(0, LONGEST_NAME),
      at_ms: options.atMs,
      language,
      model,
      hotwords: hotwords?.length ? hotwords.join(",") : undefined,
      diarization: diarization === false ? "0" : undefined,
    };
    const url = this.address.api(withQuery(pathOf(id, "audio"), query));
    const answer = await sendFile(url, file, this.headers(), options);
    if (answer.status >= 300) throw refusal(url, answer);
    return readJob(parsed(answer.body));
  }

  /** Iterates over what is heard of a transcript once more, the newest first. */
  async *jobs(id: string): AsyncIterableIterator<Job> {
    for await (const page of this.pages(pathOf(id, "jobs"))) yield* page.items("jobs").map(readJob);
  }

  /** A job as it is now. */
  async job(id: string, job: string): Promise<Job> {
    return readJob(await this.ask("GET", jobPath(id, job)));
  }

  /** Iterates over a job as it is, and whenever it is further, until it is over. */
  async *watch(
    id: string,
    job: string,
    options: { signal?: AbortSignal } = {},
  ): AsyncIterableIterator<Job> {
    let last: Job | null = null;
    while (!last?.over) {
      options.signal?.throwIfAborted();
      for await (const now of this.jobEvents(id, job, options.signal)) {
        if (JSON.stringify(now) !== JSON.stringify(last)) yield now;
        last = now;
        if (now.over) return;
      }
      // The stream ended before the job: a proxy's limit, or a restart. Ask again.
      await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
    }
  }

  /** Ends a job; what it heard is dropped. */
  async cancel(id: string, job: string): Promise<Job> {
    return readJob(await this.ask("POST", jobPath(id, job, "/cancel")));
  }

  /** Has a job that failed done once more. */
  async retry(id: string, job: string): Promise<Job> {
    return readJob(await this.ask("POST", jobPath(id, job, "/retry")));
  }

  /**
   * Has a passage heard once more: one job for each session that has audio there.
   *
   * Words that nobody touched are replaced; where people edited, there are suggestions. `as` can
   * have all only suggested.
   */
  async retranscribe(
    id: string,
    fromMs: number,
    toMs: number,
    options: { session?: string; hearing?: Hearing; as?: "replacement" | "suggestion" } = {},
  ): Promise<Job[]> {
    const { language, model, hotwords, diarization } = options.hearing ?? {};
    const answer = await this.ask("POST", pathOf(id, "retranscribe"), {
      from_ms: fromMs,
      to_ms: toMs,
      session: options.session ?? null,
      language: language ?? null,
      model: model ?? null,
      hotwords: hotwords ?? [],
      diarization: diarization ?? true,
      ...(options.as ? { as: options.as } : {}),
    });
    return answer.items("jobs").map(readJob);
  }

  /** The recognizers that the server has, the largest first; for whoever has its own token. */
  async models(): Promise<Model[]> {
    return (await this.ask("GET", "/v1/models")).items("models").map(readModel);
  }

  /** The links into a transcript; for its owner. */
  async links(id: string): Promise<Link[]> {
    return (await this.ask("GET", pathOf(id, "links"))).items("links").map(readLink);
  }

  /** Makes a link; its token is told this once. */
  async createLink(
    id: string,
    wish: { role: "editor" | "viewer"; label?: string; expiresMs?: number },
  ): Promise<NewLink> {
    const body = { role: wish.role, label: wish.label ?? "", expires_ms: wish.expiresMs ?? null };
    return readNewLink(await this.ask("POST", pathOf(id, "links"), body));
  }

  /** Ends a link; whoever is there by it is sent away. */
  async endLink(id: string, link: string): Promise<void> {
    await this.request("DELETE", pathOf(id, `links/${encodeURIComponent(link)}`));
  }

  private async *jobEvents(
    id: string,
    job: string,
    signal: AbortSignal | undefined,
  ): AsyncIterableIterator<Job> {
    const left = new AbortController();
    const either = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
    try {
      const path = jobPath(id, job, "/events");
      const { body } = await this.request("GET", path, undefined, either);
      if (body === null) return;
      for await (const data of eventsOf(body)) yield readJob(parsed(data));
    } catch (error) {
      signal?.throwIfAborted();
      // A stream that breaks off is asked for again by `watch`; a refusal is not.
      if (!(error instanceof ServerUnreachable || error instanceof TypeError)) throw error;
    } finally {
      left.abort();
    }
  }

  private async *pages(first: string): AsyncIterableIterator<Fields> {
    for (let path: string | null = first; path !== null; ) {
      const page: Fields = await this.ask("GET", path);
      yield page;
      path = page.textOrNull("next");
    }
  }

  private async ask(method: string, path: string, body?: object): Promise<Fields> {
    const response = await this.request(method, path, body);
    return parsed(await whole(response.url, response.text()));
  }

  private async blob(path: string): Promise<Blob> {
    const response = await this.request("GET", path);
    return whole(response.url, response.blob());
  }

  /** Makes a request; a stream (with a `signal`) may last for any time. */
  private async request(
    method: string,
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<Response> {
    const url = this.address.api(path);
    const headers = this.headers();
    const init: RequestInit = {
      method,
      headers,
      redirect: "error",
      cache: "no-store",
      signal: signal ?? AbortSignal.timeout(this.timeoutMs),
    };
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    const response = await whole(url, fetch(url, init));
    if (response.ok) return response;
    const told = await whole(url, response.text());
    const retryAfter = response.headers.get("retry-after");
    throw refusal(url, { status: response.status, body: told, retryAfter });
  }

  private headers(): Record<string, string> {
    const { token } = this.address;
    return token === null ? {} : { Authorization: `Bearer ${token}` };
  }
}

function pathOf(id: string, part?: string): string {
  const path = `${TRANSCRIPTS}/${encodeURIComponent(id)}`;
  return part === undefined ? path : `${path}/${part}`;
}

function jobPath(id: string, job: string, what = ""): string {
  return `${pathOf(id, "jobs")}/${encodeURIComponent(job)}${what}`;
}

function withQuery(path: string, fields: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.size > 0 ? `${path}?${query}` : path;
}

function parsed(body: string): Fields {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    throw new ProtocolViolation("JSON", "something else");
  }
  if (!isMap(answer)) throw new ProtocolViolation("a JSON object", kind(answer));
  return new Fields(answer);
}

/** Waits for an answer, or for all of it. */
async function whole<Answered>(url: string, answer: Promise<Answered>): Promise<Answered> {
  try {
    return await answer;
  } catch (error) {
    throw unreachable(url, error instanceof Error ? error.message : "no connection");
  }
}

function unreachable(url: string, reason: string): ServerUnreachable {
  return new ServerUnreachable(url.split("?")[0] ?? url, reason);
}

/** What a proxy says whose server is away (RFC 9110, sections 15.6.3 to 15.6.5). */
const AWAY = [502, 503, 504];

/** The exception for an answer that is no success. */
function refusal(url: string, { status, body, retryAfter }: Answer): TraxError {
  try {
    const error = parsed(body).within("error");
    return sessionError({
      code: error.text("code"),
      message: error.text("message"),
      expected: error.text("expected"),
      got: error.text("got"),
      retry: status >= 500,
      retryAfterMs: retryAfter && /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : null,
    });
  } catch {
    if (AWAY.includes(status)) return unreachable(url, `HTTP status ${status}`);
    return new ProtocolViolation("an answer of a Trax server", `HTTP status ${status}`);
  }
}

/** The data of server-sent events (HTML, section 9.2), one after the other. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncIterableIterator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text = (text + decoder.decode(value, { stream: true })).replaceAll("\r\n", "\n");
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const lines = event.split("\n").filter((line) => line.startsWith("data:"));
      if (lines.length > 0) yield lines.map((line) => line.slice(5).trimStart()).join("\n");
    }
  }
}
