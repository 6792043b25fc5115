/** Search inside the transcript, of everybody or one speaker. */

import { useMemo, useState } from "react";
import type { SharedTranscript } from "trax-client/transcript";
import { useSay } from "../i18n";
import { useShared } from "../meeting/useShared";
import { find } from "./find";

interface Props {
  readonly transcript: SharedTranscript;
  readonly show: (from: number, to: number) => void;
  readonly onClose: () => void;
}

export function FindBar({ transcript, show, onClose }: Props) {
  const say = useSay();
  const turns = useShared(transcript, "turns");
  const speakers = useShared(transcript, "speakers");
  const [query, setQuery] = useState("");
  const [speaker, setSpeaker] = useState<string | null>(null);
  const [at, setAt] = useState(0);
  const hits = useMemo(() => find(turns, query, speaker), [turns, query, speaker]);

  function go(step: number) {
    if (hits.length === 0) return;
    const next = (at + step + hits.length) % hits.length;
    const hit = hits[next];
    setAt(next);
    if (hit) show(hit.from, hit.to);
  }

  return (
    <form
      className="find"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        go(1);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <input
        // biome-ignore lint/a11y/noAutofocus: it was opened to type in
        autoFocus
        type="search"
        aria-label={say("take.find")}
        placeholder={say("take.find")}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(-1);
        }}
      />
      <select
        aria-label={say("take.everybody")}
        value={speaker ?? ""}
        onChange={(event) => setSpeaker(event.target.value || null)}
      >
        <option value="">{say("take.everybody")}</option>
        {speakers.map(({ id, name }) => (
          <option key={id} value={id}>
            {name || id}
          </option>
        ))}
      </select>
      <span className="hits" role="status">
        {query.trim() &&
          (hits.length === 0
            ? say("take.noHits")
            : say("take.hits", { at: Math.max(0, at) + 1, count: hits.length }))}
      </span>
      <button type="button" className="icon" aria-label={say("take.previousHit")} onClick={() => go(-1)}>
        ↑
      </button>
      <button type="submit" className="icon" aria-label={say("take.nextHit")}>
        ↓
      </button>
      <button type="button" className="icon" aria-label={say("app.close")} onClick={onClose}>
        ✕
      </button>
    </form>
  );
}
