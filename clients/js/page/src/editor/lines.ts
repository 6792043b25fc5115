/** Where lines end. */

import { EditorState } from "@codemirror/state";

/**
 * Lines end at `\n` alone, and `\r` is a character like any other.
 *
 * As CodeMirror reads texts by itself, `\r\n` is one character. Yjs counts two, and whatever is
 * typed behind it would be written elsewhere.
 */
export const lines = EditorState.lineSeparator.of("\n");
