/** Events of sessions that follow each other, counted on as if they were those of one. */

import type { Event, Partial, Word } from "./events.js";

/** How far something has come. */
interface Counts {
  readonly seq: number;
  readonly utterances: number;
  readonly speakers: number;
  readonly ms: number;
}

const NOTHING: Counts = { seq: 0, utterances: 0, speakers: 0, ms: 0 };

/**
 * What the sessions before the present one counted; owned by its `Dialogue`.
 *
 * Speakers are told apart anew in each session: a label is never given twice, so that no two people
 * are taken for one. `done` tells of the last session only.
 */
export class Continuation {
  private before = NOTHING;
  private reached = NOTHING;
  /** What is shown of an utterance that goes on. */
  private shown: Partial | null = null;

  /**
   * Begins another session, whose first sample stands at `ms`.
   *
   * @returns What takes back the words that the session before has not made final, if there are any.
   */
  begin(ms: number): Partial | null {
    this.before = this.reached = { ...this.reached, ms };
    const { shown } = this;
    this.shown = null;
    return shown === null ? null : { ...shown, stable: 0, words: [] };
  }

  /** An event of the present session as one of the whole. */
  place<Placed extends Event>(event: Placed): Placed {
    const placed = this.before === NOTHING || event.type === "done" ? event : this.shift(event);
    this.note(placed);
    return placed;
  }

  private shift<Shifted extends Event>(event: Shifted): Shifted {
    const { seq, utterances, ms } = this.before;
    return {
      ...event,
      ...("seq" in event && { seq: event.seq + seq }),
      ...("utterance" in event && { utterance: event.utterance + utterances }),
      ...("startMs" in event && { startMs: event.startMs + ms }),
      ...("endMs" in event && { endMs: event.endMs + ms }),
      ...("speaker" in event && { speaker: this.label(event.speaker) }),
      ...("audioMs" in event && { audioMs: event.audioMs + ms }),
      ...("processedMs" in event && { processedMs: event.processedMs + ms }),
      ...("words" in event && event.type !== "done" && { words: event.words.map(this.word) }),
    } as Shifted;
  }

  private readonly word = (word: Word): Word => {
    const { ms } = this.before;
    const [startMs, endMs] = [word.startMs + ms, word.endMs + ms];
    return { ...word, startMs, endMs, speaker: this.label(word.speaker) };
  };

  private label(speaker: string | null): string | null {
    return speaker === null ? null : `S${numberOf(speaker) + this.before.speakers}`;
  }

  private note(event: Event): void {
    const { reached } = this;
    if (event.type === "partial") this.shown = event;
    else if (event.type === "final" || event.type === "utteranceEnd") this.shown = null;
    // Corrections come when later utterances have begun.
    const utterances = "utterance" in event ? event.utterance + 1 : 0;
    const heard = "words" in event && event.type !== "done" ? event.words : [];
    const voices = heard.map(({ speaker }) => speaker);
    if ("speaker" in event) voices.push(event.speaker);
    this.reached = {
      ...reached,
      seq: "seq" in event ? event.seq : reached.seq,
      utterances: Math.max(reached.utterances, utterances),
      speakers: Math.max(reached.speakers, ...voices.map((voice) => numberOf(voice ?? ""))),
    };
  }
}

/** Of a label such as `S2`. */
function numberOf(speaker: string): number {
  return Number(/^S(\d+)$/.exec(speaker)?.[1] ?? 0);
}
