/** When to try again. */

/** How a lost connection is resumed. */
export interface ReconnectOptions {
  /** Longest first wait; default 250. */
  readonly firstMs?: number;
  /** Longest wait of all; default 10 000. */
  readonly longestMs?: number;
  /** How long one may get nowhere before giving up; `null`: the default of what is connected. */
  readonly giveUpMs?: number | null;
  /** How long one attempt may take; default 10 000. */
  readonly handshakeMs?: number;
}

/**
 * Full jitter, exponential: the wait before attempt n = 0, 1, 2 ... is evenly distributed in
 * `[0, min(longestMs, firstMs * 2^n)]`. Of the jitters compared by Brooker, "Exponential Backoff And
 * Jitter" (AWS Architecture Blog, 2015), the one that loads the server least.
 */
export class Reconnect {
  readonly firstMs: number;
  readonly longestMs: number;
  readonly giveUpMs: number | null;
  readonly handshakeMs: number;

  /** @throws RangeError on waits that make no sense. */
  constructor(options: ReconnectOptions = {}) {
    this.firstMs = options.firstMs ?? 250;
    this.longestMs = options.longestMs ?? 10_000;
    this.giveUpMs = options.giveUpMs ?? null;
    this.handshakeMs = options.handshakeMs ?? 10_000;
    const sensible = 0 < this.firstMs && this.firstMs <= this.longestMs && this.handshakeMs > 0;
    if (!sensible) throw new RangeError("0 < firstMs <= longestMs and 0 < handshakeMs expected");
    if (this.giveUpMs !== null && !(this.giveUpMs >= 0)) {
      throw new RangeError("giveUpMs from 0 expected");
    }
  }

  /** The wait before attempt `attempt` = 0, 1, 2 ... */
  delayMs(attempt: number): number {
    return Math.random() * Math.min(this.longestMs, this.firstMs * 2 ** attempt);
  }
}

/** Waits; at once over when the signal is aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener("abort", over);
    if (signal.aborted) over();
  });
}
