/** What is drawn over a transcript's text: heads of turns, and marks. Pure. */

import type { SharedTranscript } from "trax-client/transcript";
import type { Mark, TurnHead } from "../editor/model";
import { clock } from "../format";
import type { Say } from "../i18n";
import { nameIn } from "../speakers";
import type { Correction } from "../words/corrections";
import { firstFrom, type TimedWord } from "../words/timing";
import { colours } from "./colours";

export const HIGHLIGHTS = ["yellow", "green", "blue", "pink"] as const;

/** Whether all words of a stretch are highlighted in a colour already. */
export function isHighlighted(
  runs: SharedTranscript["runs"],
  from: number,
  to: number,
  colour: string,
): boolean {
  return runs.every(({ start, text, highlight }) => {
    const chosen = text.slice(Math.max(0, from - start), Math.max(0, to - start));
    return highlight === colour || chosen.trim() === "";
  });
}

/** Words below this confidence are doubtful; permille. */
export const DOUBTFUL = 500;

type Read = Pick<
  SharedTranscript,
  "turns" | "speakers" | "runs" | "comments" | "tags" | "suggestions" | "place"
>;

export function headsOf(transcript: Read, timed: readonly TimedWord[], say: Say): TurnHead[] {
  const colourOf = colours(transcript.speakers);
  return transcript.turns.map((turn) => {
    const first = timed[firstFrom(timed, turn.start)];
    const time =
      first && first.from < Math.max(turn.end, turn.start + 1) ? clock(first.startMs) : "";
    const name = nameIn(turn.name, say) || say("speaker.unknown");
    return {
      id: turn.id,
      at: turn.start,
      speaker: turn.speaker,
      name,
      colour: colourOf(turn.speaker),
      time,
    };
  });
}

export function marksOf(
  transcript: Read,
  doubted: readonly TimedWord[],
  corrected: readonly Correction[],
  say: Say,
): Mark[] {
  const marks: Mark[] = [];
  for (const { start, text, highlight } of transcript.runs) {
    if (highlight === null) continue;
    const known = (HIGHLIGHTS as readonly string[]).includes(highlight) ? highlight : "yellow";
    marks.push({ from: start, to: start + text.length, className: `hl hl-${known}` });
  }
  for (const { place, resolved } of transcript.comments) {
    if (place && !resolved) marks.push({ from: place[0], to: place[1], className: "commented" });
  }
  for (const { place, label } of transcript.tags) {
    if (place)
      marks.push({ from: place[0], to: place[1], className: "tagged", title: `#${label}` });
  }
  for (const suggestion of transcript.suggestions) {
    const place = transcript.place(suggestion);
    if (!place) continue;
    const title = `${say("suggest.heard")}: ${suggestion.alternative.trim() || "–"}`;
    const space = suggestion.text.length - suggestion.text.trimStart().length;
    marks.push({ from: place[0] + space, to: place[1], className: "suggested", title });
  }
  for (const { from, to, confidence } of doubted) {
    if (confidence < DOUBTFUL) marks.push({ from, to, className: "doubtful" });
  }
  for (const { from, to, was } of corrected) {
    const title = was ? say("view.was", { was }) : say("view.wasNothing");
    marks.push({ from, to, className: "corrected", title });
  }
  return marks;
}
