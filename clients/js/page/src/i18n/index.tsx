/** Which language the page speaks, and its sentences. */

import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { en, type Key } from "./en";

export type { Key };
export type Texts = Readonly<Record<Key, string>>;
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Tongue = keyof typeof LANGUAGES;

// Nobody waits for the sentences of a language that is not spoken.
const FETCHED: Record<Exclude<Tongue, "en">, () => Promise<Texts>> = {
  de: async () => (await import("./de")).de,
};
const KEPT = "trax.tongue";

/** When sentences that could not be fetched are asked for again. */
const AGAIN_MS = 30_000;

/** Gives a sentence, with `{names}` replaced. */
export type Say = (key: Key, values?: Record<string, string | number>) => string;

interface Speech {
  readonly tongue: Tongue;
  readonly say: Say;
  readonly choose: (tongue: Tongue) => void;
}

/** Gives sentences of these texts. */
export function sayIn(texts: Texts): Say {
  return (key, values = {}) =>
    texts[key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** What the person chose before, or else the browser's first language that there is. */
export function preferred(kept: string | null, browser: readonly string[]): Tongue {
  const wishes = [kept ?? "", ...browser].map((tag) => tag.slice(0, 2).toLowerCase());
  return (wishes.find((wish) => Object.hasOwn(LANGUAGES, wish)) as Tongue | undefined) ?? "en";
}

const Context = createContext<Speech>({ tongue: "en", say: sayIn(en), choose: () => undefined });

/**
 * Shows nothing until the sentences are there. Where they cannot be fetched, it says so once, in
 * English, and speaks that until they can.
 */
export function Speaking({ children }: { children: ReactNode }) {
  const [wanted, want] = useState(() => preferred(localStorage.getItem(KEPT), navigator.languages));
  const [spoken, speak] = useState<{ tongue: Tongue; texts: Texts } | null>(
    wanted === "en" ? { tongue: wanted, texts: en } : null,
  );
  const [tries, setTries] = useState(0);
  const again = () => setTries((before) => before + 1);
  const [notice, setNotice] = useState<"due" | "told" | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each try fetches once more
  useEffect(() => {
    let stale = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const set = (tongue: Tongue, texts: Texts) => {
      if (stale) return;
      speak({ tongue, texts });
      if (tongue === wanted) setNotice(null);
      else {
        setNotice((before) => before ?? "due");
        timer = setTimeout(again, AGAIN_MS);
      }
    };
    if (wanted === "en") set(wanted, en);
    else
      FETCHED[wanted]().then(
        (texts) => set(wanted, texts),
        () => set("en", en), // the server is away, or has another page by now
      );
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [wanted, tries]);
  useEffect(() => {
    if (spoken) document.documentElement.lang = spoken.tongue;
  }, [spoken]);
  const speech = useMemo<Speech | null>(
    () =>
      spoken && {
        tongue: spoken.tongue,
        say: sayIn(spoken.texts),
        choose: (next) => {
          localStorage.setItem(KEPT, next);
          want(next);
        },
      },
    [spoken],
  );
  if (speech === null) return null;
  const { say } = speech;
  return (
    <Context value={speech}>
      {children}
      {notice === "due" && (
        <p role="status" className="problem notice">
          {say("app.tongueMissing", { language: LANGUAGES[wanted] })}{" "}
          <button type="button" onClick={again}>
            {say("app.retry")}
          </button>{" "}
          <button type="button" onClick={() => setNotice("told")}>
            {say("app.close")}
          </button>
        </p>
      )}
    </Context>
  );
}

export const useSpeech = () => useContext(Context);
export const useSay = () => useContext(Context).say;
