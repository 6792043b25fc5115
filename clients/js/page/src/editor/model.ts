/** What decorates the text of the editor, as a state of its own: turns, marks, what is being said. */

import { type ChangeDesc, StateEffect, type StateEffectType, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";
import type { Saying } from "trax-client/transcript";

export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface TurnHead {
  readonly id: string | null;
  readonly at: number;
  readonly speaker: string | null;
  readonly name: string;
  /** Number of the speaker's colour. */
  readonly colour: number;
  readonly time: string;
}

export interface Mark extends Span {
  readonly className: string;
  readonly title?: string;
}

/** What is done when the head of a turn is clicked, its name or its time, and what these are called. */
export interface HeadWishes {
  readonly chooseSpeaker: (turn: TurnHead) => void;
  readonly hearTurn: (turn: TurnHead) => void;
  /** Made when it is seen. */
  readonly headLabel: (turn: TurnHead) => string;
  readonly hearLabel: (turn: TurnHead) => string;
}

export const setTurns = StateEffect.define<readonly TurnHead[]>();
export const setMarks = StateEffect.define<readonly Mark[]>();
export const setPartials = StateEffect.define<readonly (Saying & { colour: number })[]>();
export const setHits = StateEffect.define<readonly Mark[]>();
export const setFound = StateEffect.define<Span | null>();
export const setPlaying = StateEffect.define<Span | null>();
export const setDrafted = StateEffect.define<Span | null>();

/** About so high is the head of a turn. */
export const HEAD_PX = 44;

class TurnWidget extends WidgetType {
  constructor(
    readonly head: TurnHead,
    readonly wishes: HeadWishes,
  ) {
    super();
  }

  override eq(other: TurnWidget): boolean {
    const [a, b] = [this.head, other.head];
    return a.id === b.id && a.name === b.name && a.colour === b.colour && a.time === b.time;
  }

  toDOM(): HTMLElement {
    const { name, colour, time } = this.head;
    const { headLabel, hearLabel, chooseSpeaker, hearTurn } = this.wishes;
    const head = document.createElement("div");
    head.className = `turn-head voice-${colour}`;
    const called = button("turn-name", name, headLabel(this.head));
    called.dataset.turn = this.head.id ?? "";
    called.addEventListener("click", () => chooseSpeaker(this.head));
    head.append(called);
    if (time) {
      const at = button("turn-time", time, hearLabel(this.head));
      at.title = hearLabel(this.head);
      at.addEventListener("click", () => hearTurn(this.head));
      head.append(at);
    }
    return head;
  }

  override get estimatedHeight(): number {
    return HEAD_PX;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** The name in the head of a turn, as long as it is drawn: each drawing makes another element. */
export function nameOf(turn: TurnHead, view: EditorView): HTMLElement | null {
  return view.dom.querySelector(`[data-turn="${CSS.escape(turn.id ?? "")}"]`);
}

function button(className: string, text: string, label: string): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = className;
  made.textContent = text;
  made.setAttribute("aria-label", label);
  return made;
}

class PartialWidget extends WidgetType {
  constructor(readonly sayings: readonly (Saying & { colour: number })[]) {
    super();
  }

  override eq(other: PartialWidget): boolean {
    const key = (widget: PartialWidget) =>
      widget.sayings.map((each) => `${each.session}\0${each.text}\0${each.name}`).join("\n");
    return key(this) === key(other);
  }

  toDOM(): HTMLElement {
    const all = document.createElement("div");
    all.className = "partials";
    // Read out once they are final, not while they waver.
    all.setAttribute("aria-hidden", "true");
    for (const each of this.sayings) {
      const line = document.createElement("div");
      line.className = `partial voice-${each.colour}`;
      if (this.sayings.length > 1 && each.name) {
        const name = document.createElement("span");
        name.className = "partial-name";
        name.textContent = each.name;
        line.append(name);
      }
      line.append(each.text.trim());
      all.append(line);
    }
    return all;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** Decorations that move with the text until an effect draws them anew. */
function drawn<T>(
  effectType: StateEffectType<T>,
  draw: (value: T, length: number) => DecorationSet,
) {
  return StateField.define<DecorationSet>({
    create: () => Decoration.none,
    update(shown, transaction) {
      let next = shown.map(transaction.changes);
      for (const effect of transaction.effects) {
        if (effect.is(effectType)) next = draw(effect.value, transaction.newDoc.length);
      }
      return next;
    },
    provide: (field) => EditorView.decorations.from(field),
  });
}

/** Heads of turns, above the line where each begins. */
export function turnField(wishes: HeadWishes) {
  return drawn(setTurns, (heads, length) =>
    Decoration.set(
      heads
        .filter(({ at }) => at <= length)
        .map((head) =>
          Decoration.widget({ widget: new TurnWidget(head, wishes), block: true, side: -1 }).range(
            head.at,
          ),
        ),
    ),
  );
}

/** Any number of stretches, each shown in its own way. */
function stretches(effectType: typeof setMarks) {
  return drawn(effectType, (all, length) =>
    Decoration.set(
      all
        .filter(({ from, to }) => from < to && to <= length)
        .map(({ from, to, className, title }) =>
          Decoration.mark({ class: className, ...(title ? { attributes: { title } } : {}) }).range(
            from,
            to,
          ),
        ),
      true,
    ),
  );
}

/** Highlights, comments, tags, suggestions, doubt. */
export const marks = stretches(setMarks);

/** Everywhere that something stands which is looked for. */
export const hits = stretches(setHits);

/** What is being said, behind the last turn. */
export const partials = drawn(setPartials, (sayings, length) =>
  sayings.length
    ? Decoration.set(
        Decoration.widget({ widget: new PartialWidget(sayings), block: true, side: 10 }).range(
          length,
        ),
      )
    : Decoration.none,
);

/** One stretch that is shown in a way of its own, until the next is. */
function stretch(effectType: typeof setPlaying, className: string) {
  return drawn(effectType, (span, length) => {
    const { from, to } = span ?? { from: 0, to: 0 };
    const valid = from < to && to <= length;
    return valid
      ? Decoration.set(Decoration.mark({ class: className }).range(from, to))
      : Decoration.none;
  });
}

/** The word that is heard now. */
export const playing = stretch(setPlaying, "heard-now");

/** The hit that one went to: the selection itself is not seen while the focus is elsewhere. */
export const found = stretch(setFound, "found");

/** What a remark is being written about; stays, as a place without length, where it is deleted. */
export const drafted = StateField.define<Span | null>({
  create: () => null,
  update(span, transaction) {
    let next = span && followed(span, transaction.changes);
    for (const effect of transaction.effects) if (effect.is(setDrafted)) next = effect.value;
    return next;
  },
  provide: (field) =>
    EditorView.decorations.from(field, (span) =>
      span && span.from < span.to
        ? Decoration.set(Decoration.mark({ class: "drafted" }).range(span.from, span.to))
        : Decoration.none,
    ),
});

/** Where words stand after a change, or what was written in the place of all of them. */
function followed({ from, to }: Span, changes: ChangeDesc): Span {
  const inside = { from: changes.mapPos(from, 1), to: changes.mapPos(to, -1) };
  if (inside.from < inside.to) return inside;
  return { from: changes.mapPos(from, -1), to: changes.mapPos(to, 1) };
}
