/** The meeting notes: Markdown, shared. */

import { defaultKeymap } from "@codemirror/commands";
import { markdown } from "@codemirror/lang-markdown";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import type { SharedTranscript } from "trax-client/transcript";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import { useSay } from "../i18n";
import { nonce } from "./nonce";

const look = HighlightStyle.define([
  { tag: tags.heading1, fontSize: "1.3em", fontWeight: "650" },
  { tag: tags.heading2, fontSize: "1.15em", fontWeight: "650" },
  { tag: tags.heading, fontWeight: "650" },
  { tag: tags.strong, fontWeight: "700" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.processingInstruction, opacity: "0.6" },
]);

export function NotesEditor({ transcript, readOnly }: { transcript: SharedTranscript; readOnly: boolean }) {
  const say = useSay();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!place.current) return;
    const view = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: transcript.notes.toString(),
        extensions: [
          EditorView.cspNonce.of(nonce()),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": say("panel.notes"), spellcheck: "true" }),
          readOnly ? [EditorState.readOnly.of(true), EditorView.editable.of(false)] : [],
          placeholder(say("notes.placeholder")),
          markdown(),
          syntaxHighlighting(look),
          keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
          yCollab(transcript.notes, null, { undoManager: readOnly ? false : transcript.undoManager }),
        ],
      }),
    });
    return () => view.destroy();
  }, [transcript, readOnly, say]);
  return <div className="notes" ref={place} />;
}
