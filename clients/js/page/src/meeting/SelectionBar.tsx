/** What can be done with selected words: highlight, comment, tag, listen, hear again. */

import { type FormEvent, useState } from "react";
import type { SharedTranscript } from "trax-client/transcript";
import { useSay } from "../i18n";
import { HIGHLIGHTS } from "./decorations";

interface Props {
  readonly transcript: SharedTranscript;
  readonly from: number;
  readonly to: number;
  readonly readOnly: boolean;
  readonly author: string;
  readonly onPlay: () => void;
  readonly onAgain: () => void;
  readonly onCommented: () => void;
}

export function SelectionBar({
  transcript,
  from,
  to,
  readOnly,
  author,
  onPlay,
  onAgain,
  onCommented,
}: Props) {
  const say = useSay();
  const [writing, setWriting] = useState<"comment" | "tag" | null>(null);
  const [text, setText] = useState("");

  function send(event: FormEvent) {
    event.preventDefault();
    if (!text.trim()) return;
    if (writing === "tag") transcript.tag(from, to, text.trim().replace(/^#/, ""), author);
    else transcript.comment(from, to, text.trim(), author);
    setText("");
    setWriting(null);
    onCommented();
  }

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
                const stands = transcript.runs.some(
                  (run) =>
                    run.highlight === colour &&
                    run.start < to &&
                    run.start + run.text.length > from,
                );
                transcript.highlight(from, to, stands ? null : colour);
              }}
            />
          ))}
          <button type="button" onClick={() => setWriting("comment")}>
            {say("select.comment")}
          </button>
          <button type="button" onClick={() => setWriting("tag")}>
            {say("select.tag")}
          </button>
          <button type="button" onClick={onAgain}>
            {say("select.again")}
          </button>
        </>
      )}
      {writing && (
        <form onSubmit={send}>
          <input
            // biome-ignore lint/a11y/noAutofocus: it was opened to type in
            autoFocus
            value={text}
            aria-label={say(writing === "tag" ? "tag.label" : "comment.write")}
            placeholder={say(writing === "tag" ? "tag.label" : "comment.write")}
            onChange={(event) => setText(event.target.value)}
          />
          <button type="submit" className="primary">
            {say(writing === "tag" ? "select.tag" : "comment.send")}
          </button>
        </form>
      )}
    </div>
  );
}
