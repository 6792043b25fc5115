/** What can be done with selected words: highlight, comment, tag, listen, hear again. */

import { useEffect, useRef } from "react";
import type { SharedTranscript } from "trax-client/transcript";
import { useSay } from "../i18n";
import { HIGHLIGHTS, isHighlighted } from "./decorations";
import type { Remark } from "./RemarkBar";

interface Props {
  readonly transcript: SharedTranscript;
  readonly from: number;
  readonly to: number;
  readonly readOnly: boolean;
  readonly onPlay: () => void;
  readonly onAgain: () => void;
  /** Something is to be written about the words. */
  readonly onWrite: (kind: Remark) => void;
  /** Escape was pressed. */
  readonly onClose: () => void;
}

export function SelectionBar(props: Props) {
  const { transcript, from, to, readOnly, onPlay, onAgain, onWrite, onClose } = props;
  const say = useSay();
  const latest = useRef(onClose);
  latest.current = onClose;
  useEffect(() => {
    const leave = ({ key }: KeyboardEvent) => {
      if (key === "Escape" && !document.querySelector("dialog[open]")) latest.current();
    };
    // Before others hear of it, who take the focus from the text.
    document.addEventListener("keydown", leave, true);
    return () => document.removeEventListener("keydown", leave, true);
  }, []);
  return (
    <div className="selection-bar" role="toolbar" aria-label={say("select.toolbar")}>
      <button type="button" onClick={onPlay}>
        {say("select.play")}
      </button>
      {!readOnly && (
        <>
          {HIGHLIGHTS.map((colour) => (
            <button
              key={colour}
              type="button"
              className={`swatch hl-${colour}`}
              aria-label={`${say("select.highlight")}: ${say(`colour.${colour}`)}`}
              onClick={() => {
                const stands = isHighlighted(transcript.runs, from, to, colour);
                transcript.highlight(from, to, stands ? null : colour);
              }}
            />
          ))}
          <button type="button" onClick={() => onWrite("comment")}>
            {say("select.comment")}
          </button>
          <button type="button" onClick={() => onWrite("tag")}>
            {say("select.tag")}
          </button>
          <button type="button" onClick={onAgain}>
            {say("select.again")}
          </button>
        </>
      )}
    </div>
  );
}
