/**
 * Where others are in a text, and showing them where we are.
 *
 * y-codemirror has this, but colours by `style` attributes, which our policy refuses; here colours are
 * classes. What is shown to others is the same: `cursor`, `{anchor, head}` as relative positions.
 */

import { Annotation, type Range } from "@codemirror/state";
import { Decoration, type DecorationSet, type EditorView, ViewPlugin, type ViewUpdate, WidgetType } from "@codemirror/view";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

export const COLOURS = 8;
const moved = Annotation.define<true>();

class Caret extends WidgetType {
  constructor(
    readonly name: string,
    readonly colour: number,
  ) {
    super();
  }

  override eq(other: Caret): boolean {
    return other.name === this.name && other.colour === this.colour;
  }

  toDOM(): HTMLElement {
    const caret = document.createElement("span");
    caret.className = `caret voice-${this.colour}`;
    const name = document.createElement("span");
    name.className = "caret-name";
    name.textContent = this.name;
    caret.append("\u2060", name, "\u2060");
    return caret;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** The colour of a client of Yjs. */
export const colourOf = (client: number): number => client % COLOURS;

export function presence(text: Y.Text, awareness: Awareness) {
  return ViewPlugin.fromClass(
    class {
      decorations: DecorationSet = Decoration.none;
      private readonly listen: (change: { added: number[]; updated: number[]; removed: number[] }) => void;

      constructor(view: EditorView) {
        this.listen = ({ added, updated, removed }) => {
          if ([...added, ...updated, ...removed].every((id) => id === awareness.clientID)) return;
          view.dispatch({ annotations: [moved.of(true)] });
        };
        awareness.on("change", this.listen);
        this.decorations = this.draw(view);
      }

      destroy(): void {
        awareness.off("change", this.listen);
      }

      update(update: ViewUpdate): void {
        this.show(update);
        const others = update.transactions.some((each) => each.annotation(moved));
        if (update.docChanged || others) this.decorations = this.draw(update.view);
      }

      private show(update: ViewUpdate): void {
        const state = awareness.getLocalState();
        if (state === null || !(update.focusChanged || update.selectionSet || update.docChanged)) return;
        const { anchor, head } = update.state.selection.main;
        const focused = update.view.hasFocus && update.view.dom.ownerDocument.hasFocus();
        const mine = state.cursor as { anchor?: unknown } | null | undefined;
        if (!focused) {
          if (update.focusChanged && mine) awareness.setLocalStateField("cursor", null);
          return;
        }
        const next = {
          anchor: Y.createRelativePositionFromTypeIndex(text, anchor),
          head: Y.createRelativePositionFromTypeIndex(text, head),
        };
        if (JSON.stringify(next) !== JSON.stringify(mine)) awareness.setLocalStateField("cursor", next);
      }

      private draw(view: EditorView): DecorationSet {
        const length = view.state.doc.length;
        const ranges: Range<Decoration>[] = [];
        for (const [client, state] of awareness.getStates()) {
          const cursor = (state as { cursor?: { anchor: unknown; head: unknown } }).cursor;
          if (client === awareness.clientID || !cursor) continue;
          const anchor = indexOf(text, cursor.anchor);
          const head = indexOf(text, cursor.head);
          if (anchor === null || head === null || Math.max(anchor, head) > length) continue;
          const colour = colourOf(client);
          const [from, to] = anchor < head ? [anchor, head] : [head, anchor];
          if (from < to) ranges.push(Decoration.mark({ class: `chosen voice-${colour}` }).range(from, to));
          const name = String((state as { user?: { name?: unknown } }).user?.name ?? "").slice(0, 40);
          ranges.push(
            Decoration.widget({ widget: new Caret(name, colour), side: head > anchor ? -1 : 1 }).range(head),
          );
        }
        return Decoration.set(ranges, true);
      }
    },
    { decorations: (plugin) => plugin.decorations },
  );
}

function indexOf(text: Y.Text, position: unknown): number | null {
  try {
    const relative = Y.createRelativePositionFromJSON(position);
    const absolute = text.doc && Y.createAbsolutePositionFromRelativePosition(relative, text.doc);
    return absolute && absolute.type === text ? absolute.index : null;
  } catch {
    return null; // whatever another editor shows there
  }
}
