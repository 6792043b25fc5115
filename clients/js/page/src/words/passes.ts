/** The words of the passes that a transcript's text names, fetched when they are asked for. */

import type { HeardWord, Library } from "trax-client";
import type { Run } from "trax-client/transcript";
import { parseSegment, type Words } from "./timing";

const PAUSE_MS = 1500;

/** Owned by one open transcript; `close` ends it. */
export class PassWords {
  private readonly known = new Map<string, readonly HeardWord[]>();
  private readonly wanted = new Map<string, number>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private last = 0;

  constructor(
    private readonly library: Library,
    private readonly id: string,
    private readonly onNews: () => void,
  ) {}

  readonly get: Words = (pass) => this.known.get(pass);

  /** Fetches what these runs need and is not here, some time soon. */
  need(runs: readonly Run[]): void {
    for (const run of runs) {
      const segment = parseSegment(run.segment);
      if (segment && (this.known.get(segment.pass)?.length ?? 0) < segment.end) {
        this.wanted.set(segment.pass, segment.end);
      }
    }
    if (this.wanted.size > 0 && this.timer === null) {
      const wait = Math.max(0, this.last + PAUSE_MS - Date.now());
      this.timer = setTimeout(() => void this.fetch(), wait);
    }
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => undefined, 0);
  }

  private async fetch(): Promise<void> {
    this.last = Date.now();
    const passes = [...this.wanted.keys()];
    this.wanted.clear();
    try {
      for (const pass of passes) {
        const found = await this.library.words(this.id, pass);
        const words = found.flatMap((page) => page.words);
        this.known.set(pass, words);
      }
    } catch {
      // The network is away: asked again with the next change.
    }
    this.timer = null;
    this.onNews();
  }
}
