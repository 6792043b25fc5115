/** The editor of a transcript: CodeMirror over the shared text. */

import { standardKeymap } from "@codemirror/commands";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import type { SharedTranscript } from "trax-client/transcript";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import { bounded } from "./bound";
import { lines } from "./lines";
import {
  drafted,
  found,
  HEAD_PX,
  type HeadWishes,
  hits,
  marks,
  partials,
  playing,
  turnField,
} from "./model";
import { nonce } from "./nonce";
import { presence } from "./presence";

export interface EditorWishes extends HeadWishes {
  readonly transcript: SharedTranscript;
  readonly readOnly: boolean;
  readonly label: string;
  /** A position was clicked; `hear`: with Alt, which asks for its sound. */
  readonly onClick: (position: number, hear: boolean) => void;
  readonly onSelect: (from: number, to: number) => void;
  /** The text changed, or was not changed because that was too long. */
  readonly onChange: (tooLong: boolean) => void;
}

export function openEditor(parent: HTMLElement, wishes: EditorWishes): EditorView {
  const { transcript, readOnly } = wishes;
  const writing: Extension = readOnly
    ? [EditorState.readOnly.of(true), EditorView.editable.of(false)]
    : [keymap.of([...turnKeys(transcript), ...yUndoManagerKeymap])];
  return new EditorView({
    parent,
    state: EditorState.create({
      doc: transcript.text.toString(),
      extensions: [
        lines,
        EditorView.cspNonce.of(nonce()),
        EditorView.lineWrapping,
        // Whoever goes to a turn sees whose it is.
        EditorView.scrollMargins.of(() => ({ top: HEAD_PX })),
        EditorView.contentAttributes.of({
          "aria-label": wishes.label,
          spellcheck: "true",
          ...(readOnly ? { tabindex: "0" } : {}),
        }),
        // A newline would begin a turn, or break one apart without saying whose the rest is.
        EditorView.clipboardInputFilter.of((text) => text.replace(/\s*[\r\n]+\s*/g, " ")),
        writing,
        bounded(wishes.onChange),
        // Not the whole default: it has keys that move lines, and a line is a turn of somebody.
        keymap.of(standardKeymap),
        yCollab(transcript.text, null, {
          undoManager: readOnly ? false : transcript.textUndoManager,
        }),
        presence(transcript.text, transcript.awareness, "cursor"),
        turnField(wishes),
        marks,
        partials,
        playing,
        hits,
        found,
        drafted,
        EditorView.domEventHandlers({
          click: (event, view) => {
            const position = view.posAtCoords({ x: event.clientX, y: event.clientY });
            if (position !== null) wishes.onClick(position, event.altKey);
          },
        }),
        EditorView.updateListener.of((update) => {
          if (!update.selectionSet && !update.docChanged) return;
          const { from, to } = update.state.selection.main;
          wishes.onSelect(from, to);
        }),
      ],
    }),
  });
}

/** Enter begins a turn, Backspace at its beginning joins it to the one before. */
function turnKeys(transcript: SharedTranscript) {
  return [
    {
      key: "Enter",
      run: (view: EditorView) => {
        const { from, to } = view.state.selection.main;
        // What follows the selection stays with whoever said it.
        const { speaker } = transcript.turns.findLast(({ start }) => start <= to) ?? {};
        transcript.edit(() => {
          transcript.delete(from, to);
          transcript.splitTurn(from, speaker ?? undefined);
        });
        view.dispatch({ selection: { anchor: from + 1 }, scrollIntoView: true });
        return true;
      },
    },
    { key: "Shift-Enter", run: () => true },
    { mac: "Ctrl-o", run: () => true },
    {
      key: "Backspace",
      run: (view: EditorView) => {
        const { from, empty } = view.state.selection.main;
        if (!empty || view.state.sliceDoc(Math.max(0, from - 1), from) !== "\n") return false;
        const turn = transcript.turns.find(({ start }) => start === from);
        if (!turn?.id) return false;
        if (turn.start > 1) transcript.joinTurns(turn.id);
        return true;
      },
    },
  ];
}
