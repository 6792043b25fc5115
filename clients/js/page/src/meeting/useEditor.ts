/** The editor, kept decorated: turns, marks, what is being said, the times of its words. */

import type { StateEffect } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import { type RefObject, useEffect, useRef } from "react";
import type { Library } from "trax-client";
import type { SharedTranscript } from "trax-client/transcript";
import {
  drafted,
  type Span,
  setDrafted,
  setMarks,
  setPartials,
  setTurns,
  type TurnHead,
} from "../editor/model";
import { openEditor } from "../editor/transcriptEditor";
import { useSay } from "../i18n";
import { nameIn } from "../speakers";
import { correctionsOf } from "../words/corrections";
import { PassWords } from "../words/passes";
import { type TimedWord, WordTimes } from "../words/timing";
import { colours } from "./colours";
import { headsOf, marksOf } from "./decorations";
import type { Shown } from "./shown";

/** How long words may stream in before times and marks are computed anew. */
const MARKS_MS = 250;

/** How many times as long as it takes: a long text must not be looked through all the time. */
const PATIENCE = 20;

/** A text of so few characters is one that has just begun. */
const SHORT = 600;

export interface Editing {
  readonly view: RefObject<EditorView | null>;
  /** The words of the text that have a time, in its order. */
  readonly timed: RefObject<readonly TimedWord[]>;
  readonly heads: RefObject<readonly TurnHead[]>;
}

interface Wishes {
  readonly place: RefObject<HTMLDivElement | null>;
  readonly transcript: SharedTranscript;
  readonly library: Library;
  readonly readOnly: boolean;
  readonly shown: Shown;
  readonly chooseSpeaker: (turn: TurnHead) => void;
  readonly hearTurn: (turn: TurnHead) => void;
  readonly onClick: (position: number, hear: boolean) => void;
  readonly onSelect: (from: number, to: number) => void;
  readonly onChange: (tooLong: boolean) => void;
}

export function useEditor(wishes: Wishes): Editing {
  const { place, transcript, library, readOnly, shown } = wishes;
  const say = useSay();
  const view = useRef<EditorView>(null);
  const timed = useRef<readonly TimedWord[]>([]);
  const latest = useRef(wishes);
  const marking = useRef<() => void>(() => undefined);
  const heads = useRef<readonly TurnHead[]>([]);
  /** What a remark was being written about in the editor before, as in another language. */
  const kept = useRef<Span | null>(null);
  latest.current = wishes;

  useEffect(() => {
    if (!place.current) return;
    const editor = openEditor(place.current, {
      transcript,
      readOnly,
      label: say("meeting.editor"),
      headLabel: ({ name, time }) => say("speaker.edit", { name, time }),
      hearLabel: ({ time }) => say("listen.from", { time }),
      chooseSpeaker: (turn) => latest.current.chooseSpeaker(turn),
      hearTurn: (turn) => latest.current.hearTurn(turn),
      onClick: (position, hear) => latest.current.onClick(position, hear),
      onSelect: (from, to) => latest.current.onSelect(from, to),
      onChange: (tooLong) => latest.current.onChange(tooLong),
    });
    view.current = editor;
    editor.dispatch({ effects: setDrafted.of(kept.current) });
    const words = new PassWords(library, transcript.id, () => soon());
    const times = new WordTimes();
    let timer: ReturnType<typeof setTimeout> | null = null;
    let [frame, saying] = [0, 0];

    const draw = (...effects: readonly StateEffect<unknown>[]) => {
      const speaking = transcript.partials.length > 0;
      follow(editor, speaking, () => editor.dispatch({ effects }));
    };
    let costMs = 0;
    const mark = () => {
      timer = null;
      const began = performance.now();
      words.need(transcript.runs);
      timed.current = times.read(transcript.runs, words.get);
      const shown = headsOf(transcript, timed.current, say);
      const { doubt, corrections } = latest.current.shown;
      const doubted = doubt ? timed.current : [];
      const corrected = corrections
        ? correctionsOf(transcript.runs, timed.current, words.get, words.about)
        : [];
      heads.current = shown;
      draw(setTurns.of(shown), setMarks.of(marksOf(transcript, doubted, corrected, say)));
      costMs = performance.now() - began;
    };
    const later = () => {
      timer ??= setTimeout(mark, Math.max(MARKS_MS, PATIENCE * costMs));
    };
    // Words that were waited for are not made to wait for what the last look took.
    const soon = () => {
      if (timer !== null) clearTimeout(timer);
      timer = setTimeout(mark, MARKS_MS);
    };
    const turns = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        const shown = headsOf(transcript, timed.current, say);
        draw(setTurns.of(shown));
        later();
      });
    };
    const speak = () => {
      saying = 0;
      const colourOf = colours(transcript.speakers);
      const sayings = transcript.partials.map((each) => ({
        ...each,
        name: nameIn(each.name, say),
        colour: colourOf(each.speaker),
      }));
      draw(setPartials.of(sayings));
    };
    // What is typed moves what is drawn; only where lines begin or end is it drawn anew at once.
    let { lines } = editor.state.doc;
    const typed = () => {
      const known = lines;
      ({ lines } = editor.state.doc);
      if (lines === known) later();
      else turns();
    };
    const maps = ["turns", "hturns"].map((name) => transcript.doc.getMap(name));
    transcript.text.observe(typed);
    for (const map of maps) map.observe(turns);
    marking.current = later;
    mark();
    speak();
    const stops = [
      transcript.onChange("speakers", turns),
      transcript.onChange("comments", later),
      transcript.onChange("tags", later),
      transcript.onChange("suggestions", later),
      // Not at once: presence also changes in the midst of what the editor does itself.
      transcript.onChange("partials", () => {
        saying ||= requestAnimationFrame(speak);
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      transcript.text.unobserve(typed);
      for (const map of maps) map.unobserve(turns);
      if (timer !== null) clearTimeout(timer);
      cancelAnimationFrame(frame);
      cancelAnimationFrame(saying);
      words.close();
      kept.current = editor.state.field(drafted);
      editor.destroy();
      view.current = null;
    };
  }, [place, transcript, library, readOnly, say]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn anew when it is switched
  useEffect(() => marking.current(), [shown]);

  return { view, timed, heads };
}

/** Stays at the end, if that is where one looks; what nobody speaks into opens at its beginning. */
function follow(editor: EditorView, speaking: boolean, change: () => void): void {
  const scroller = editor.scrollDOM;
  const begun = speaking && editor.state.doc.length < SHORT;
  const scrolled = scroller.scrollTop > 0 || begun;
  const atEnd = scrolled && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
  change();
  if (atEnd) {
    editor.requestMeasure({
      read: () => scroller.scrollHeight,
      write: (height) => {
        scroller.scrollTop = height;
      },
    });
  }
}
