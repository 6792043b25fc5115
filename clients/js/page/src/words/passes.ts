/** The words of the passes that a transcript's text names, fetched when they are asked for. */

import { type HeardWord, type Library, NotFound } from "trax-client";
import type { Run } from "trax-client/transcript";
import type { About } from "./corrections";
import { parseSegment, type Words } from "./timing";

const PAUSE_MS = 1_500;

/** After so many answers without a word of a pass it is asked for more rarely. */
const LONGEST_PAUSE_MS = 60_000;

/** Words of one pass, as far as they are here: what was heard never changes, and only grows. */
interface Pass {
  words: readonly HeardWord[];
  /** Known as soon as any of its words is. */
  about?: About;
  /** Up to which word the text names it. */
  wanted: number;
  /** Until it is asked for again, after it had nothing new. */
  pauseMs: number;
  /** When it may be asked for again. */
  nextMs: number;
  /** There is no such pass. */
  gone: boolean;
}

/** Owned by one open transcript; `close` ends it. */
export class PassWords {
  private readonly passes = new Map<string, Pass>();
  private readonly segments = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private closed = false;

  constructor(
    private readonly library: Pick<Library, "words">,
    private readonly id: string,
    private readonly onNews: () => void,
    private readonly pauseMs = PAUSE_MS,
  ) {}

  readonly get: Words = (pass) => this.passes.get(pass)?.words;

  readonly about = (pass: string): About | undefined => this.passes.get(pass)?.about;

  /** Fetches what these runs need and is not here, some time soon. */
  need(runs: readonly Run[]): void {
    for (const run of runs) {
      if (run.segment === null || this.segments.has(run.segment)) continue;
      this.segments.add(run.segment);
      const segment = parseSegment(run.segment);
      if (segment === null) continue;
      const pass = this.passes.get(segment.pass);
      if (pass) pass.wanted = Math.max(pass.wanted, segment.end);
      else {
        const { pauseMs } = this;
        this.passes.set(segment.pass, {
          words: [],
          wanted: segment.end,
          pauseMs,
          nextMs: 0,
          gone: false,
        });
      }
    }
    this.plan();
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private plan(): void {
    const due = [...this.passes.values()].filter(lacks);
    if (this.closed || this.timer !== null || due.length === 0) return;
    const next = Math.min(...due.map(({ nextMs }) => nextMs));
    this.timer = setTimeout(() => void this.fetch(), Math.max(0, next - Date.now()));
  }

  private async fetch(): Promise<void> {
    const now = Date.now();
    let news = false;
    for (const [name, pass] of this.passes) {
      if (!lacks(pass) || pass.nextMs > now) continue;
      const more = await this.ask(name, pass.words.length);
      if (this.closed) return;
      news ||= more.length > 0;
      if (more.length > 0) pass.words = [...pass.words, ...more];
      // What people write may name words that no pass ever has.
      pass.pauseMs = more.length > 0 ? this.pauseMs : Math.min(2 * pass.pauseMs, LONGEST_PAUSE_MS);
      pass.nextMs = Date.now() + pass.pauseMs;
    }
    this.timer = null;
    if (news) this.onNews();
    this.plan();
  }

  /** The words behind those that are here; none if the network is away, or there is no such pass. */
  private async ask(name: string, first: number): Promise<readonly HeardWord[]> {
    const pass = this.passes.get(name);
    try {
      const all = await this.library.words(this.id, name, first);
      const found = all.filter(({ id }) => id === name);
      if (pass && found[0]) pass.about = found[0];
      return found.flatMap(({ words }) => words);
    } catch (error) {
      if (error instanceof NotFound && pass) pass.gone = true;
      return [];
    }
  }
}

function lacks({ words, wanted, gone }: Pass): boolean {
  return !gone && words.length < wanted;
}
