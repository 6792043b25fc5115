/**
 * Audio between the caller and the server: numbered, held until acknowledged, sent within credit.
 *
 * Positions are sample indices of the session, as on the wire:
 *
 *     0 ......... base ......... cursor ......... until ......... end
 *        forgotten     sent, kept       may be sent    must wait
 *
 * `end` may pass `until`: what a caller has handed over is kept, and the caller waits. It may also pass
 * what the session takes (`limit`): then `end` is said there, and the rest is for the next session.
 */

import { ProtocolViolation } from "./errors.js";
import type { Audio, End, Finalize } from "./requests.js";

/** Largest audio frame: a second of 16 kHz speech. Larger gain nothing and make credit coarse. */
export const MAX_FRAME_BYTES = 32_768;

/** What msgpack adds to the samples of an `audio` message, generously. */
export const FRAME_OVERHEAD_BYTES = 64;

/** Whole samples from sample `at` on. */
export interface Piece {
  readonly at: number;
  readonly pcm: Uint8Array<ArrayBuffer>;
  /** Unix time at which the caller handed it over: when the last of it was recorded. */
  readonly takenMs: number;
}

interface Flush {
  readonly at: number;
  sent: boolean;
}

/** What one session has to send; owned by its `Dialogue`. No socket, no clock. */
export class Outbox {
  private pieces: Piece[] = [];
  private rest = new Uint8Array(0);
  private flushes: Flush[] = [];
  private frameSamples = 1;
  private cursor = 0;
  private until = 0;
  /** The session takes no sample from here on. */
  private most = Number.POSITIVE_INFINITY;
  private from = 0;
  private to = 0;
  private endAsked = false;
  private endSent = false;

  /** @param sampleBytes - Size of one sample; bytes of an incomplete one wait for their rest. */
  constructor(private readonly sampleBytes: number) {}

  /** The server holds everything before this sample. */
  get base(): number {
    return this.from;
  }

  /** One past the last whole sample taken from the caller. */
  get end(): number {
    return this.to;
  }

  /** Whether all that was taken may be sent: the caller need not wait. */
  get hasRoom(): boolean {
    return this.to <= Math.min(this.until, this.most);
  }

  /** Samples that were sent on this connection, or that the server had before. */
  get sent(): number {
    return this.cursor;
  }

  /** Whether the caller said that no more audio follows. */
  get ended(): boolean {
    return this.endAsked;
  }

  /**
   * Takes audio of any length, and copies it; returns the whole samples that are new, if any.
   *
   * @param takenMs - Unix time now.
   */
  put(pcm: Uint8Array, takenMs: number): Piece | null {
    const joined = new Uint8Array(this.rest.length + pcm.length);
    joined.set(this.rest);
    joined.set(pcm, this.rest.length);
    const whole = joined.length - (joined.length % this.sampleBytes);
    this.rest = joined.slice(whole);
    if (whole === 0) return null;
    const piece = { at: this.to, pcm: joined.subarray(0, whole), takenMs };
    this.pieces.push(piece);
    this.to += whole / this.sampleBytes;
    return piece;
  }

  /** Takes over what an earlier page kept of the session; pieces in order, before anything else. */
  restore(pieces: readonly Piece[], base: number, ended: boolean): void {
    this.pieces = [...pieces];
    this.from = this.cursor = base;
    const last = pieces.at(-1);
    this.to = last === undefined ? base : last.at + last.pcm.length / this.sampleBytes;
    this.endAsked = ended;
  }

  /** What is kept. */
  get kept(): readonly Piece[] {
    return this.pieces;
  }

  /** Forgets audio before `samples`, which the server turned out to have. */
  forget(samples: number): void {
    this.drop(Math.min(Math.max(samples, this.from), this.to));
  }

  /** When the first sample that is kept was recorded, as Unix time; `null` if none is. */
  recordedMs(sampleRate: number): number | null {
    const [first] = this.pieces;
    if (first === undefined) return null;
    return first.takenMs - ((this.endOf(first) - this.from) * 1000) / sampleRate;
  }

  /** Counts from 0 again, from the first sample that is kept; returns how many there were before. */
  renumber(): number {
    const before = this.from;
    this.pieces = this.pieces.map((piece) => this.moved(piece, before));
    this.flushes = this.flushes.map(({ at }) => ({ at: Math.max(0, at - before), sent: false }));
    this.to -= before;
    this.from = this.cursor = this.until = 0;
    this.most = Number.POSITIVE_INFINITY;
    return before;
  }

  /** Asks for everything so far to become final, once it has been sent. */
  finalize(): void {
    const last = this.flushes.at(-1);
    if (last?.at === this.to) last.sent = false;
    else this.flushes.push({ at: this.to, sent: false });
  }

  /** Says that no more audio follows; bytes of an incomplete last sample are dropped. */
  finish(): void {
    this.endAsked = true;
  }

  /** Ends the session before this sample, at the latest: what follows is for another one. */
  limit(samples: number): void {
    this.most = Math.min(this.most, samples);
  }

  /** Learns the largest message that the server takes. */
  limitFrames(messageBytes: number): void {
    const size = Math.min(MAX_FRAME_BYTES, messageBytes - FRAME_OVERHEAD_BYTES);
    this.frameSamples = Math.max(1, Math.floor(size / this.sampleBytes));
  }

  /**
   * Begins a connection whose server wants sample `next` and gives credit up to `until`.
   *
   * @throws {@link ProtocolViolation} if that sample is forgotten, or was never sent.
   */
  rewind(next: number, until: number): void {
    if (next < this.from || next > this.to) {
      throw new ProtocolViolation(`${this.from}..${this.to}`, `${next}`, "ready.next");
    }
    this.cursor = next;
    this.until = until;
    this.endSent = false;
    for (const flush of this.flushes) flush.sent = false;
  }

  /** Goes on behind what the server has, where an earlier page sent more than it kept. */
  skip(next: number): void {
    if (next > this.to) {
      this.pieces = [];
      this.from = this.cursor = this.to = next;
    }
  }

  /**
   * Forgets audio before `samples`, takes credit up to `until`; returns whether any was new.
   *
   * @throws {@link ProtocolViolation} if the server acknowledges what it was not sent.
   */
  acknowledge(samples: number, until: number): boolean {
    if (samples > this.cursor) {
      throw new ProtocolViolation(`at most ${this.cursor}`, `${samples}`, "ack.samples");
    }
    this.until = Math.max(this.until, until);
    if (samples <= this.from) return false;
    this.drop(samples);
    return true;
  }

  /** What to send next, counted as sent from now on; `null` if there is nothing to do. */
  nextMessage(): Audio | Finalize | End | null {
    let stop = Math.min(this.to, this.until, this.most, this.cursor + this.frameSamples);
    for (const flush of this.flushes) {
      if (flush.sent) continue;
      if (flush.at <= this.cursor) {
        flush.sent = true;
        return { type: "finalize" };
      }
      stop = Math.min(stop, flush.at);
    }
    if (stop > this.cursor) return this.take(stop);
    const full = this.to > this.most && this.cursor >= this.most;
    if ((full || (this.endAsked && this.cursor === this.to)) && !this.endSent) {
      this.endSent = true;
      return { type: "end" };
    }
    return null;
  }

  private take(stop: number): Audio {
    const at = this.cursor;
    const pcm = new Uint8Array((stop - at) * this.sampleBytes);
    const first = this.pieces.findIndex((piece) => this.endOf(piece) > at);
    for (const piece of this.pieces.slice(first)) {
      if (piece.at >= stop) break;
      const begin = Math.max(0, at - piece.at);
      const end = Math.min(this.endOf(piece), stop) - piece.at;
      const part = piece.pcm.subarray(begin * this.sampleBytes, end * this.sampleBytes);
      pcm.set(part, (piece.at + begin - at) * this.sampleBytes);
    }
    this.cursor = stop;
    return { type: "audio", at, pcm };
  }

  private drop(samples: number): void {
    this.from = samples;
    const kept = this.pieces.findIndex((piece) => this.endOf(piece) > samples);
    this.pieces.splice(0, kept === -1 ? this.pieces.length : kept);
    // Audio after it arrived, and frames arrive in order: so did the finalize.
    this.flushes = this.flushes.filter((flush) => flush.at >= samples);
  }

  /** A piece at its place in a session that begins with sample `before` of this one. */
  private moved(piece: Piece, before: number): Piece {
    const cut = Math.max(0, before - piece.at);
    const pcm = piece.pcm.subarray(cut * this.sampleBytes);
    return { ...piece, at: piece.at + cut - before, pcm };
  }

  private endOf(piece: Piece): number {
    return piece.at + piece.pcm.length / this.sampleBytes;
  }
}
