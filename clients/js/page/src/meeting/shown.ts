/** How one wants to see and hear a transcript; kept in the browser. */

import { useState } from "react";

export interface Shown {
  /** Words of low confidence are underlined. */
  readonly doubt: boolean;
  /** Words that a later pass replaced are marked. */
  readonly corrections: boolean;
  /** Screen readers are told new words. */
  readonly aloud: boolean;
  /** A click on a word plays it, also while nothing plays. */
  readonly clicks: boolean;
}

const KEPT = "trax.shown";
const USUAL: Shown = { doubt: false, corrections: true, aloud: false, clicks: false };

export function useShown(): [shown: Shown, change: (fields: Partial<Shown>) => void] {
  const [shown, setShown] = useState<Shown>(kept);
  return [
    shown,
    (fields) => {
      const next = { ...shown, ...fields };
      localStorage.setItem(KEPT, JSON.stringify(next));
      setShown(next);
    },
  ];
}

function kept(): Shown {
  try {
    return { ...USUAL, ...(JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Partial<Shown>) };
  } catch {
    return USUAL;
  }
}
