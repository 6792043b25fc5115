/**
 * Where others are in a text, and showing them where we are.
 *
 * y-codemirror has this, but colours by `style` attributes, which our policy refuses; here colours are
 * classes. What is shown to others is the same, `{anchor, head}` as relative positions, in a field of
 * its own for each text: `cursor`, which other editors have, is that in the transcript.
 */

import { Annotation, type ChangeDesc } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  type EditorView,
  ViewPlugin,
  type ViewUpdate,
  WidgetType,
} from "@codemirror/view";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

export const COLOURS = 8;
const moved = Annotation.define<true>();

/** Where somebody else is. */
interface Cursor {
  readonly client: number;
  readonly anchor: number;
  readonly head: number;
  readonly colour: number;
  readonly name: string;
}

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

/** The number of a colour of the page, `voice-3`; `null` for anything else. */
export function numbered(colour: unknown): number | null {
  const found = /^voice-([0-7])$/.exec(typeof colour === "string" ? colour : "");
  return found ? Number(found[1]) : null;
}

/** The colour that somebody shows, or one that follows from their client of Yjs. */
export const colourOf = (client: number, shown: unknown): number =>
  numbered(shown) ?? client % COLOURS;

export type CursorField = "cursor" | "notesCursor";

export function presence(text: Y.Text, awareness: Awareness, field: CursorField) {
  const shown = (client: number) =>
    awareness.getStates().get(client)?.[field] as
      | { anchor: unknown; head: unknown }
      | null
      | undefined;
  return ViewPlugin.fromClass(
    class {
      decorations: DecorationSet = Decoration.none;
      private cursors: readonly Cursor[] = [];
      /** Somebody is where the text has not come yet. */
      private missing = false;
      private readonly listen: (change: {
        added: number[];
        updated: number[];
        removed: number[];
      }) => void;

      constructor(view: EditorView) {
        this.listen = ({ added, updated, removed }) => {
          const concerned = [...added, ...updated, ...removed].some(
            (id) =>
              id !== awareness.clientID &&
              (shown(id) || this.cursors.some(({ client }) => client === id)),
          );
          if (concerned) view.dispatch({ annotations: [moved.of(true)] });
        };
        awareness.on("change", this.listen);
        this.cursors = this.find(view);
        this.decorations = draw(this.cursors);
      }

      destroy(): void {
        awareness.off("change", this.listen);
        if (awareness.getLocalState()?.[field]) awareness.setLocalStateField(field, null);
      }

      update(update: ViewUpdate): void {
        this.show(update);
        const others = update.transactions.some((each) => each.annotation(moved));
        if (others || (this.missing && update.docChanged)) this.cursors = this.find(update.view);
        // As relative positions move: with the character behind them.
        else if (update.docChanged)
          this.cursors = this.cursors.map((each) => move(each, update.changes));
        if (others || update.docChanged) this.decorations = draw(this.cursors);
      }

      private show(update: ViewUpdate): void {
        const state = awareness.getLocalState();
        if (state === null || !(update.focusChanged || update.selectionSet || update.docChanged))
          return;
        const { anchor, head } = update.state.selection.main;
        const focused = update.view.hasFocus && update.view.dom.ownerDocument.hasFocus();
        const mine = state[field] as { anchor?: unknown } | null | undefined;
        if (!focused) {
          if (update.focusChanged && mine) awareness.setLocalStateField(field, null);
          return;
        }
        const next = {
          anchor: Y.createRelativePositionFromTypeIndex(text, anchor),
          head: Y.createRelativePositionFromTypeIndex(text, head),
        };
        if (JSON.stringify(next) !== JSON.stringify(mine))
          awareness.setLocalStateField(field, next);
      }

      /** Looks for each cursor in the whole text. */
      private find(view: EditorView): Cursor[] {
        const { length } = view.state.doc;
        this.missing = false;
        return [...awareness.getStates().keys()].flatMap((client) => {
          const cursor = shown(client);
          if (client === awareness.clientID || !cursor) return [];
          const [anchor, head] = [indexOf(text, cursor.anchor), indexOf(text, cursor.head)];
          if (anchor === null || head === null || Math.max(anchor, head) > length) {
            this.missing = true;
            return [];
          }
          const user = awareness.getStates().get(client)?.user as
            | { name?: unknown; color?: unknown }
            | undefined;
          const name = String(user?.name ?? "").slice(0, 40);
          return [{ client, anchor, head, colour: colourOf(client, user?.color), name }];
        });
      }
    },
    { decorations: (plugin) => plugin.decorations },
  );
}

function move(cursor: Cursor, changes: ChangeDesc): Cursor {
  const { anchor, head } = cursor;
  return { ...cursor, anchor: changes.mapPos(anchor, 1), head: changes.mapPos(head, 1) };
}

function draw(cursors: readonly Cursor[]): DecorationSet {
  const ranges = cursors.flatMap(({ anchor, head, colour, name }) => {
    const [from, to] = anchor < head ? [anchor, head] : [head, anchor];
    const caret = Decoration.widget({
      widget: new Caret(name, colour),
      side: head > anchor ? -1 : 1,
    });
    const chosen = Decoration.mark({ class: `chosen voice-${colour}` });
    return from < to ? [chosen.range(from, to), caret.range(head)] : [caret.range(head)];
  });
  return Decoration.set(ranges, true);
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
