/** Searching in an open transcript: whether one does, and what the editor shows of it. */

import { EditorView } from "@codemirror/view";
import { type RefObject, useCallback, useRef, useState } from "react";
import { setFound, setHits } from "../editor/model";
import type { Hit } from "./find";

export interface Finding {
  readonly active: boolean;
  /** In which one types what is looked for. */
  readonly field: RefObject<HTMLInputElement | null>;
  readonly open: () => void;
  readonly close: () => void;
  readonly toggle: () => void;
  /** Goes to a stretch, and shows which it is. */
  readonly show: (from: number, to: number) => void;
  /** Shows where all hits are; without any, no stretch is shown either. */
  readonly mark: (hits: readonly Hit[]) => void;
}

export function useFinding(view: RefObject<EditorView | null>): Finding {
  const [active, setActive] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const show = useCallback(
    (from: number, to: number) => {
      const { current } = view;
      if (!current || to > current.state.doc.length) return;
      const effects = [EditorView.scrollIntoView(from, { y: "center" }), setFound.of({ from, to })];
      current.dispatch({ effects });
    },
    [view],
  );
  const mark = useCallback(
    (hits: readonly Hit[]) => {
      const marks = setHits.of(hits.map((hit) => ({ ...hit, className: "hit" })));
      view.current?.dispatch({ effects: hits.length > 0 ? marks : [marks, setFound.of(null)] });
    },
    [view],
  );
  const open = () => {
    setActive(true);
    // Where it is open already; else it takes the focus by itself.
    field.current?.focus();
    field.current?.select();
  };
  const close = () => {
    setActive(false);
    mark([]);
  };
  return { active, field, open, close, toggle: active ? close : open, show, mark };
}
