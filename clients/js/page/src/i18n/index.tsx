/** Which language the page speaks, and its sentences. */

import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { de } from "./de";
import { en, type Key } from "./en";

export type { Key };
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Tongue = keyof typeof LANGUAGES;

const TEXTS: Record<Tongue, Record<Key, string>> = { en, de };
const KEPT = "trax.tongue";

/** Gives a sentence, with `{names}` replaced. */
export type Say = (key: Key, values?: Record<string, string | number>) => string;

interface Speech {
  readonly tongue: Tongue;
  readonly say: Say;
  readonly choose: (tongue: Tongue) => void;
}

/** A sentence in a language. */
export function sayIn(tongue: Tongue): Say {
  return (key, values = {}) =>
    TEXTS[tongue][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** What the person chose before, or else the browser's first language that there is. */
export function preferred(kept: string | null, browser: readonly string[]): Tongue {
  const wishes = [kept ?? "", ...browser].map((tag) => tag.slice(0, 2).toLowerCase());
  return (wishes.find((wish) => Object.hasOwn(TEXTS, wish)) as Tongue | undefined) ?? "en";
}

const Context = createContext<Speech>({ tongue: "en", say: sayIn("en"), choose: () => undefined });

export function Speaking({ children }: { children: ReactNode }) {
  const [tongue, choose] = useState(() =>
    preferred(localStorage.getItem(KEPT), navigator.languages),
  );
  useEffect(() => {
    document.documentElement.lang = tongue;
  }, [tongue]);
  const speech = useMemo<Speech>(
    () => ({
      tongue,
      say: sayIn(tongue),
      choose: (next) => {
        localStorage.setItem(KEPT, next);
        choose(next);
      },
    }),
    [tongue],
  );
  return <Context value={speech}>{children}</Context>;
}

export const useSpeech = () => useContext(Context);
export const useSay = () => useContext(Context).say;
