/** How one wants to be heard; kept in the browser. */

export interface Wishes {
  readonly language: string;
  readonly lookaheadMs: number;
  readonly finals: "word" | "utterance";
  readonly diarization: boolean;
  readonly hotwords: readonly string[];
}

/** The positions of the dial, from quick to sure. */
export const DIAL = [
  { name: "quick", lookaheadMs: 100, finals: "word" },
  { name: "balanced", lookaheadMs: 300, finals: "word" },
  { name: "sure", lookaheadMs: 2000, finals: "word" },
  { name: "surest", lookaheadMs: 2000, finals: "utterance" },
] as const;

export const SPOKEN = "en de fr es it pt nl pl sv da no fi cs uk ru tr ar hi zh ja ko".split(" ");

const KEPT = "trax.wishes";
const USUAL: Wishes = {
  language: "auto",
  lookaheadMs: 300,
  finals: "word",
  diarization: true,
  hotwords: [],
};

export function keptWishes(): Wishes {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Partial<Wishes>;
    return { ...USUAL, ...kept };
  } catch {
    return USUAL;
  }
}

export function keepWishes(wishes: Wishes): void {
  localStorage.setItem(KEPT, JSON.stringify(wishes));
}

/** What somebody typed, as words to favour: at most 100, each once. */
export function asHotwords(typed: string): string[] {
  const words = typed.split(/[,\n]/).map((word) => word.trim().slice(0, 100));
  return [...new Set(words.filter(Boolean))].slice(0, 100);
}

/** Which position of the dial wishes stand for. */
export function dialOf(wishes: Wishes): number {
  const at = DIAL.findIndex(
    (each) => each.finals === wishes.finals && each.lookaheadMs >= wishes.lookaheadMs,
  );
  return at === -1 ? DIAL.length - 1 : at;
}
