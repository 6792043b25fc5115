/** `PendingSession`: audio that a page left behind when it was closed, and what can be done with it. */

import { Address } from "./address.js";
import { Dialogue } from "./dialogue.js";
import { SessionGone } from "./errors.js";
import { discard, Keeper, type KeptSession, keptAudio, leftBehind } from "./keeping.js";
import type { StartOptions } from "./requests.js";
import { type ConnectOptions, Session } from "./session.js";
import { wav } from "./wav.js";

/** How to connect; how the session is to be, was said when it began. */
export type ResumeOptions = Omit<ConnectOptions, keyof StartOptions | "persist">;

/** A session that an earlier page began, and of whose audio something may not have arrived. */
export class PendingSession {
  /** @internal Use {@link pendingSessions}. */
  constructor(private readonly kept: KeptSession) {}

  /** Its id. */
  get session(): string {
    return this.kept.session;
  }

  /** Id of the transcript that it speaks into, if any. */
  get transcript(): string | null {
    return this.kept.transcript;
  }

  /** Unix time of the last sign of it. */
  get updatedMs(): number {
    return this.kept.updatedMs;
  }

  /** Whether no more audio was to follow. */
  get ended(): boolean {
    return this.kept.ended;
  }

  /** How it was begun. */
  get options(): StartOptions {
    return this.kept.start;
  }

  /**
   * Goes on with it: sends what is kept, and has all events from the first one on.
   *
   * @throws {@link SessionGone} if the server does not know it any more; what is kept stays, for
   *   {@link audio}.
   */
  async resume(url: string | URL, options: ResumeOptions = {}): Promise<Session> {
    const { session, token, transcript, base, ended } = this.kept;
    const start = { ...this.kept.start, transcript };
    const address = Address.of(url, options.token);
    const pieces = await keptAudio(this.kept);
    // From the first event on: this page knows none of them.
    const dialogue = new Dialogue(start, { session, token, after: 0 });
    dialogue.outbox.restore(pieces, base, ended);
    const keeper = await Keeper.open(dialogue.start);
    keeper.adopt(this.kept, pieces);
    const resumed = new Session(dialogue, { ...options, address }, keeper);
    await resumed.open(options.signal);
    return resumed;
  }

  /** What is kept, as a WAV file: to upload it where the server knows the session no more. */
  async audio(): Promise<Blob> {
    const { encoding, sampleRate } = this.kept.start;
    const pieces = await keptAudio(this.kept);
    const pcm = pieces.map((piece) => piece.pcm);
    return new Blob([wav(pcm, sampleRate, encoding)], { type: "audio/wav" });
  }

  /** Deletes what is kept. */
  async discard(): Promise<void> {
    await discard(this.kept.session);
  }
}

/** Sessions that pages of this origin left behind before they were done, the newest first. */
export async function pendingSessions(): Promise<PendingSession[]> {
  return (await leftBehind()).map((kept) => new PendingSession(kept));
}

/**
 * Goes on with the newest session that was left behind; `null` if there is none that can.
 *
 * Sessions that the server does not know any more stay among {@link pendingSessions}.
 */
export async function resumePending(
  url: string | URL,
  options: ResumeOptions = {},
): Promise<Session | null> {
  for (const pending of await pendingSessions()) {
    try {
      return await pending.resume(url, options);
    } catch (error) {
      if (!(error instanceof SessionGone)) throw error;
    }
  }
  return null;
}
