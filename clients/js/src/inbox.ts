/** Events that were not read yet. */

import type { Event } from "./events.js";

/** Adds what waits to be read; of `partial` and `stats` only the newest of each stays. */
export function queue<Told extends { readonly type: string }>(waiting: Told[], told: Told): void {
  if (told.type === "partial" || told.type === "stats") {
    const older = waiting.findIndex(({ type }) => type === told.type);
    if (older !== -1) waiting.splice(older, 1);
  }
  waiting.push(told);
}

/**
 * Events for one iteration.
 *
 * Of `partial` and `stats` that wait, only the newest of each stays: who reads slowly sees the moment
 * as it is. All else waits in order; a session bounds how much that can be.
 */
export class Inbox implements AsyncIterableIterator<Event> {
  private events: Event[] = [];
  private wake: (() => void) | null = null;
  private closed = false;
  private failure: unknown = null;

  /** @param left - Told when the reader leaves. */
  constructor(private readonly left: (inbox: Inbox) => void) {}

  put(event: Event): void {
    queue(this.events, event);
    this.wake?.();
  }

  /** Says that nothing follows; what waits is read first, then `failure` is thrown, if any. */
  close(failure: unknown): void {
    this.closed = true;
    this.failure = failure;
    this.wake?.();
  }

  async next(): Promise<IteratorResult<Event>> {
    for (;;) {
      const event = this.events.shift();
      if (event !== undefined) return { done: false, value: event };
      if (this.closed) {
        const failure = this.failure;
        this.failure = null;
        if (failure !== null) throw failure;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<Event>> {
    this.left(this);
    this.events = [];
    this.close(null);
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
