/** The meeting notes: Markdown, shared. */

import { standardKeymap } from "@codemirror/commands";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { useEffect, useRef, useState } from "react";
import type { SharedTranscript } from "trax-client/transcript";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import { useSay } from "../i18n";
import { bounded } from "./bound";
import { lines } from "./lines";
import { markdown } from "./markdown";
import { nonce } from "./nonce";
import { presence } from "./presence";
import { TooLong } from "./TooLong";

export function NotesEditor({
  transcript,
  readOnly,
}: {
  transcript: SharedTranscript;
  readOnly: boolean;
}) {
  const say = useSay();
  const [tooLong, setTooLong] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!place.current) return;
    const view = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: transcript.notes.toString(),
        extensions: [
          lines,
          EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?/g, "\n")),
          EditorView.cspNonce.of(nonce()),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": say("panel.notes"), spellcheck: "true" }),
          readOnly ? [EditorState.readOnly.of(true), EditorView.editable.of(false)] : [],
          placeholder(say("notes.placeholder")),
          markdown,
          bounded(setTooLong),
          keymap.of([...yUndoManagerKeymap, ...standardKeymap]),
          yCollab(transcript.notes, null, {
            undoManager: readOnly ? false : transcript.notesUndoManager,
          }),
          presence(transcript.notes, transcript.awareness, "notesCursor"),
        ],
      }),
    });
    return () => view.destroy();
  }, [transcript, readOnly, say]);
  return (
    <>
      {tooLong && <TooLong />}
      <div className="notes" ref={place} />
    </>
  );
}
