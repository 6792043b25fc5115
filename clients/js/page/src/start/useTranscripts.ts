/** The list of transcripts: searched, page by page, with speakers and length of each. */

import { useCallback, useEffect, useRef, useState } from "react";
import type { JobProgress, ListedTranscript } from "trax-client";
import { libraryFor } from "../server";
import { isAwaited } from "./awaited";

export interface Row extends ListedTranscript {
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

/** How often it is asked how far what is under way is, and of how many transcripts at most. */
const AGAIN_MS = 3_000;
const MOST = 100;

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
          const about = await library.get(id).catch(() => null);
          if (turn.current !== mine) return;
          const speakers = (about?.speakers ?? []).map(({ id: voice, name }) => name || voice);
          // The list may not know yet of what was recorded last.
          const change = (row: Row) => {
            return { ...row, speakers, durationMs: about?.durationMs ?? row.durationMs };
          };
          setRows((all) => all?.map((row) => (row.id === id ? change(row) : row)) ?? null);
        }
      } catch (caught) {
        if (turn.current === mine) setError(caught);
      }
    },
    [query],
  );

  const follow = useCallback(
    async (shown: readonly Row[]) => {
      const mine = turn.current;
      const asked = { limit: Math.min(shown.length, MOST), ...(query ? { query } : {}) };
      // That the server is away is said elsewhere.
      const page = await libraryFor(null)
        .page(asked)
        .catch(() => ({ transcripts: [] }));
      if (turn.current !== mine) return;
      const jobs = new Map(page.transcripts.map(({ id, job }) => [id, job]));
      if (shown.some((row) => isUnderWay(row) && jobs.get(row.id)?.over)) void load(null);
      else setRows((all) => all && further(all, jobs));
    },
    [query, load],
  );

  useEffect(() => {
    if (!rows?.some(isUnderWay)) return;
    const timer = setTimeout(() => void follow(rows), AGAIN_MS);
    return () => clearTimeout(timer);
  }, [rows, follow]);

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

/** Whether the words of a row are still to come: it has none, and something is heard or on its way. */
export function isUnderWay({ id, speakers, durationMs, job }: Row): boolean {
  if (speakers === null || speakers.length > 0) return false;
  return job === null ? durationMs === 0 && isAwaited(id) : !job.over;
}

/** Rows as far as their jobs are now; of which none is told, that stays as it is. */
export function further(
  rows: readonly Row[],
  jobs: ReadonlyMap<string, JobProgress | null>,
): readonly Row[] {
  return rows.map((row) => ({ ...row, job: jobs.get(row.id) ?? row.job }));
}
