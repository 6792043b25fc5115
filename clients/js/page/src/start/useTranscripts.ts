/** The list of transcripts: searched, page by page, with the speakers of each. */

import { useCallback, useEffect, useRef, useState } from "react";
import type { TranscriptRecord } from "trax-client";
import { libraryFor } from "../server";

export interface Row extends TranscriptRecord {
  /** `null` until they are known. */
  readonly speakers: readonly string[] | null;
}

export interface Listing {
  readonly rows: readonly Row[] | null;
  readonly error: unknown;
  readonly more: boolean;
  readonly next: () => void;
  readonly reload: () => void;
}

const PAGE = 20;
const PAUSE_MS = 200;

export function useTranscripts(query: string): Listing {
  const [rows, setRows] = useState<readonly Row[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const turn = useRef(0);

  const load = useCallback(
    async (path: string | null) => {
      const mine = ++turn.current;
      const library = libraryFor(null);
      try {
        const page = await library.page(
          path ? { next: path } : { limit: PAGE, ...(query ? { query } : {}) },
        );
        if (turn.current !== mine) return;
        const found = page.transcripts.map((each) => ({ ...each, speakers: null }));
        setRows((before) => (path && before ? [...before, ...found] : found));
        setNext(page.next);
        setError(null);
        for (const { id } of found) {
          const { speakers } = await library.get(id).catch(() => ({ speakers: [] }));
          if (turn.current !== mine) return;
          const names = speakers.map(({ id: voice, name }) => name || voice);
          setRows((all) => all?.map((r) => (r.id === id ? { ...r, speakers: names } : r)) ?? null);
        }
      } catch (caught) {
        if (turn.current === mine) setError(caught);
      }
    },
    [query],
  );

  useEffect(() => {
    const timer = setTimeout(() => void load(null), query ? PAUSE_MS : 0);
    return () => clearTimeout(timer);
  }, [load, query]);

  return {
    rows,
    error,
    more: next !== null,
    next: () => void load(next),
    reload: () => void load(null),
  };
}
