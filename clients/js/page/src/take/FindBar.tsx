/** Search inside the transcript, of everybody or one speaker. */

import { useEffect, useState } from "react";
import type { SharedTranscript } from "trax-client/transcript";
import { useSay } from "../i18n";
import { useListed } from "../meeting/voices";
import { nameIn } from "../speakers";
import { Finder, type Hit } from "./find";
import type { Finding } from "./useFinding";

interface Props {
  readonly transcript: SharedTranscript;
  readonly finding: Finding;
}

const NONE: readonly Hit[] = [];

/** How long words may stream in before they are found. */
const PAUSE_MS = 500;

/** Where something stands now; the first place is shown. Nothing is read while nothing is sought. */
function useHits(
  transcript: SharedTranscript,
  query: string,
  speaker: string | null,
  show: Finding["show"],
): readonly Hit[] {
  const [finder] = useState(() => new Finder());
  const [hits, setHits] = useState(NONE);
  useEffect(() => {
    if (!query.trim()) return setHits(NONE);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      timer = undefined;
      const found = finder.find(transcript.turns, query, speaker);
      setHits(found);
      return found;
    };
    const [first] = look();
    if (first) show(first.from, first.to);
    const stop = transcript.onChange("turns", () => {
      timer ??= setTimeout(look, PAUSE_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [transcript, finder, query, speaker, show]);
  return hits;
}

export function FindBar({ transcript, finding }: Props) {
  const say = useSay();
  const { field, show, mark, close } = finding;
  const [query, setQuery] = useState("");
  const speakers = useListed(transcript);
  const [speaker, setSpeaker] = useState<string | null>(null);
  const [at, setAt] = useState(0);
  const hits = useHits(transcript, query, speaker, show);
  useEffect(() => mark(hits), [mark, hits]);

  function go(step: number) {
    if (hits.length === 0) return;
    const next = (at + step + hits.length) % hits.length;
    const hit = hits[next];
    setAt(next);
    if (hit) show(hit.from, hit.to);
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: Enter finds the next, as it submits a form
    <form
      className="find"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        go(1);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <input
        // biome-ignore lint/a11y/noAutofocus: it was opened to type in
        autoFocus
        ref={field}
        type="search"
        aria-label={say("take.find")}
        placeholder={say("take.find")}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
      />
      <select
        aria-label={say("take.everybody")}
        value={speaker ?? ""}
        onChange={(event) => {
          setSpeaker(event.target.value || null);
          setAt(0);
        }}
      >
        <option value="">{say("take.everybody")}</option>
        {speakers.map(({ id, name }) => (
          <option key={id} value={id}>
            {nameIn(name, say) || id}
          </option>
        ))}
      </select>
      <span className="hits" role="status">
        {query.trim() &&
          (hits.length === 0
            ? say("take.noHits")
            : say("take.hits", { at: Math.min(at, hits.length - 1) + 1, count: hits.length }))}
      </span>
      <button
        type="button"
        className="icon"
        aria-label={say("take.previousHit")}
        onClick={() => go(-1)}
      >
        ↑
      </button>
      <button type="submit" className="icon" aria-label={say("take.nextHit")}>
        ↓
      </button>
      <button type="button" className="icon" aria-label={say("app.close")} onClick={close}>
        ✕
      </button>
    </form>
  );
}
