/**
 * The client's side of the protocol across all connections of one session: no socket, no clock.
 *
 * Per connection: send `opening()`, then whatever `nextMessage()` returns, and give each message that
 * comes to `receive()`. What was lost with a connection is sent again on the next one by itself, and
 * events that come twice are returned once.
 */

import { Continuation } from "./continuation.js";
import { ProtocolViolation } from "./errors.js";
import type { Done, Event, Ready, ServerMessage, Stats } from "./events.js";
import { Outbox } from "./outbox.js";
import type { Audio, End, Finalize, Resume, Start } from "./requests.js";
import { SAMPLE_BYTES } from "./requests.js";

/** The age of audio may not be greater. */
const OLDEST_MS = 86_400_000;

/** From this part of the longest session on it ends in a pause, so that no word is cut in two. */
const NEARLY_FULL = 0.9;

/** What becomes of a session, besides how it is to be. */
export interface Course {
  /** The session to go on with, of an earlier page; the outbox is restored. */
  readonly earlier?: Resume;
  /** When the first sample of a new one was recorded, as Unix time; default: now. */
  readonly recordedMs?: number | undefined;
  /** Whether another one follows where the server takes no more into it; default: true. */
  readonly renews?: boolean | undefined;
}

/** State of one session, and of those that it goes on in; owned by its `Link`. */
export class Dialogue {
  /** The session's audio. */
  readonly outbox: Outbox;
  /** The latest `ready`, or `null` before the first. */
  info: Ready | null = null;
  /** As last reported, counted on through all sessions. */
  stats: Stats | null = null;
  /** The last event, once it came. */
  done: Done | null = null;
  /** Grows with each new event and acknowledgement: tells a connection that gets somewhere. */
  progress = 0;
  /** Whether this connection's `ready` has come. */
  connected = false;
  /** Samples of the sessions before, from which this one went on. */
  before = 0;
  private seq = 0;
  /** Whether the next `ready` is to be that of a new session. */
  private renewing = false;
  private earlier: Resume | null;
  private readonly continuation = new Continuation();

  constructor(
    readonly start: Start,
    private readonly course: Course = {},
  ) {
    this.outbox = new Outbox(SAMPLE_BYTES[start.encoding]);
    this.earlier = course.earlier ?? null;
  }

  /** The session that was spoken into last, and its transcript: it may be gone by now. */
  get last(): { session: string; transcript: string | null } | null {
    const session = (this.info ?? this.earlier)?.session;
    if (session === undefined) return null;
    return { session, transcript: this.info?.transcript ?? this.start.transcript };
  }

  /**
   * Goes on in a new session with what the server does not have: this one takes no more.
   *
   * @param stored - Samples of this session that the server has, as far as is known.
   * @returns Whether there is anything to go on with.
   */
  renew(stored: number): boolean {
    this.outbox.forget(stored);
    this.renewing = !this.arrived;
    return this.renewing;
  }

  /**
   * The first message of a new connection.
   *
   * @param nowMs - Unix time.
   */
  opening(nowMs: number): Start {
    this.connected = false;
    if (this.renewing) {
      const transcript = this.last?.transcript ?? null;
      const recordedMs = this.outbox.recordedMs(this.start.sampleRate);
      return { ...this.start, transcript, ageMs: ageOf(recordedMs, nowMs) };
    }
    if (this.info === null) {
      const recordedMs = this.course.recordedMs ?? null;
      return { ...this.start, resume: this.earlier, ageMs: ageOf(recordedMs, nowMs) };
    }
    const { session, token } = this.info;
    return { ...this.start, resume: { session, token, after: this.seq } };
  }

  /** What to send now; nothing before `ready`. */
  nextMessage(): Audio | Finalize | End | null {
    return this.connected ? this.outbox.nextMessage() : null;
  }

  /** Of the audio taken from the caller, how much the server may not have. */
  get unacknowledgedMs(): number {
    return Math.floor(((this.outbox.end - this.outbox.base) * 1000) / this.start.sampleRate);
  }

  /**
   * Whether no more audio follows, and the server has all of it.
   *
   * What it has is known to a millisecond at times: less than that may seem to be missing.
   */
  get arrived(): boolean {
    return this.outbox.ended && this.unacknowledgedMs === 0;
  }

  /**
   * Takes a message in; returns it if the caller of the session should see it.
   *
   * @throws {@link ProtocolViolation} if the server may not say this now. `error` is not for here.
   */
  receive(message: Exclude<ServerMessage, { type: "error" }>): Event | null {
    if (message.type === "ready") return this.open(message);
    if (!this.connected) throw new ProtocolViolation("ready", message.type);
    switch (message.type) {
      case "ack":
        if (this.outbox.acknowledge(message.samples, message.until)) this.progress += 1;
        return null;
      case "pong":
        return null;
      case "stats":
        this.stats = this.continuation.place(message);
        return this.stats;
      case "done":
        return this.finish(message);
      case "partial":
        return this.continuation.place(message);
      default:
        if (!this.isNew(message.seq)) return null;
        if (message.type === "utteranceEnd") this.pause();
        return this.continuation.place(message);
    }
  }

  /** The session is done: the last one, or one that was full. */
  private finish(done: Done): Done | null {
    if (this.outbox.sent < this.outbox.end && this.renew(this.outbox.sent)) {
      this.connected = false;
      return null;
    }
    this.done = done;
    return done;
  }

  /** Ends a session here that is nearly full. */
  private pause(): void {
    const { sent } = this.outbox;
    if (sent >= NEARLY_FULL * this.longest) this.outbox.limit(sent);
  }

  /** Samples that the server takes into one session, where another one may follow. */
  private get longest(): number {
    if (this.info === null || this.course.renews === false) return Number.POSITIVE_INFINITY;
    return Math.floor((this.info.limits.sessionMs * this.start.sampleRate) / 1000);
  }

  private open(ready: Ready): Event | null {
    if (this.connected) throw new ProtocolViolation("one ready in a connection", "another");
    const known = this.renewing ? null : (this.info ?? this.earlier);
    if (known !== null && (ready.session !== known.session || !ready.resumed)) {
      throw new ProtocolViolation("the session that was resumed", "another", "ready.session");
    }
    if (this.start.transcript !== null && ready.transcript === null) {
      // Better no session than one whose words go nowhere.
      throw new ProtocolViolation("the transcript asked for", "none", "ready.transcript");
    }
    const withdrawn = this.renewing ? this.begin() : null;
    if (this.info === null && this.earlier !== null) this.outbox.skip(ready.next);
    this.outbox.limitFrames(ready.limits.messageBytes);
    this.outbox.rewind(ready.next, ready.until);
    this.info = ready;
    this.outbox.limit(ready.ended ? ready.next : this.longest);
    this.connected = true;
    return withdrawn;
  }

  /** Counts on from the session before. */
  private begin(): Event | null {
    this.before += this.outbox.renumber();
    this.seq = 0;
    this.earlier = null;
    this.renewing = false;
    return this.continuation.begin(Math.floor((this.before * 1000) / this.start.sampleRate));
  }

  private isNew(seq: number): boolean {
    if (seq > this.seq + 1) throw new ProtocolViolation(`${this.seq + 1}`, `${seq}`, "seq");
    if (seq <= this.seq) return false;
    this.seq = seq;
    this.progress += 1;
    return true;
  }
}

/** How long ago something was recorded; `null` is now. */
function ageOf(recordedMs: number | null, nowMs: number): number {
  const ageMs = Math.round(nowMs - (recordedMs ?? nowMs));
  return Math.min(Math.max(0, ageMs), OLDEST_MS);
}
