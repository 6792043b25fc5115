/** `PendingSession`: audio that a page left behind when it was closed, and what can be done with it. */

import { Address } from "./address.js";
import { Dialogue } from "./dialogue.js";
import { EventsMissed, isTemporary, TraxError, Unauthorized } from "./errors.js";
import { discard, Keeper, keptAudio, leftBehind } from "./keeping.js";
import type { StartOptions } from "./requests.js";
import { type ConnectOptions, Session } from "./session.js";
import type { KeptSession } from "./store.js";
import { recordingOf } from "./wav.js";

/** How to connect; how the session is to be, was said when it began. */
export type ResumeOptions = Omit<ConnectOptions, keyof StartOptions | "persist" | "recordedMs">;

/** A session that an earlier page began, and of whose audio something may not have arrived. */
export class PendingSession {
  /** @internal Use {@link pendingSessions}. */
  constructor(private readonly kept: KeptSession) {}

  /** Its id. */
  get session(): string {
    return this.kept.session;
  }

  /** URL of the server that it is of, without a token; `null`: that is not known. */
  get server(): string | null {
    return this.kept.server ?? null;
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
   * @throws {@link SessionTaken} if another page does, or did.
   * @throws {@link SessionGone} if the server does not know it any more; what is kept stays, for
   *   {@link audio}.
   * @throws {@link EventsMissed} if the server has all of it already; nothing is kept any more.
   */
  async resume(url: string | URL, options: ResumeOptions = {}): Promise<Session> {
    return this.begin(url, options, false);
  }

  /**
   * Sends what is kept and nothing after it, for whoever needs no events; resolves when the server
   * has heard it.
   *
   * @throws As {@link resume}, but for `EventsMissed`; and whatever ends the session. What the server
   *   does not have is kept then.
   */
  async send(url: string | URL, options: ResumeOptions = {}): Promise<void> {
    try {
      const session = await this.begin(url, options, true);
      await session.finished;
    } catch (error) {
      if (!(error instanceof EventsMissed)) throw error;
    }
  }

  /** What is kept, as a WAV file, with silence for what could not be kept. */
  async audio(): Promise<Blob> {
    return recordingOf(this.kept.start, await keptAudio(this.kept));
  }

  /** Deletes what is kept. */
  async discard(): Promise<void> {
    await discard(this.kept.session);
  }

  private async begin(url: string | URL, options: ResumeOptions, ends: boolean): Promise<Session> {
    const { session, token, transcript } = this.kept;
    const address = Address.of(url, options.token);
    const start = { ...this.kept.start, transcript };
    // From the first event on: this page knows none of them.
    const earlier = { session, token, after: 0 };
    const dialogue = new Dialogue(start, { earlier, renews: options.renew });
    const resumed = new Session(dialogue, { ...options, address });
    const [keeper, { base, ended }, pieces] = await Keeper.adopt(session, address.api("/"));
    dialogue.outbox.restore(pieces, base, ended || ends);
    if (ends) keeper.end();
    await resumed.open(keeper, options.signal);
    return resumed;
  }
}

/**
 * Sessions that pages of this origin left behind before they were done, the newest first.
 *
 * @param url - The server that they are of, which may not be the only one of its origin; those of
 *   which that is not known are among them. Default: any.
 */
export async function pendingSessions(url?: string | URL): Promise<PendingSession[]> {
  const server = url === undefined ? null : Address.of(url).api("/");
  const left = (await leftBehind()).map((kept) => new PendingSession(kept));
  return left.filter((each) => server === null || (each.server ?? server) === server);
}

/**
 * Goes on with the newest session of a server that was left behind; `null` if there is none that can.
 *
 * Sessions that the server refuses, or does not know any more, stay among {@link pendingSessions}.
 *
 * @throws {@link TraxError} where no session can go on now: no connection, no room, a wrong token.
 */
export async function resumePending(
  url: string | URL,
  options: ResumeOptions = {},
): Promise<Session | null> {
  for (const pending of await pendingSessions(url)) {
    try {
      return await pending.resume(url, options);
    } catch (error) {
      const refused = error instanceof TraxError && !isTemporary(error);
      if (!refused || error instanceof Unauthorized) throw error;
    }
  }
  return null;
}
