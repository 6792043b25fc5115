/** Beside the transcript: notes, comments and tags, suggestions. */

import { memo, useState } from "react";
import type { SharedTranscript } from "trax-client/transcript";
import { useSay } from "../i18n";
import { later } from "../later";
import { Comments } from "./Comments";
import { Suggestions } from "./Suggestions";
import { sayAlike, useShared } from "./useShared";

const NotesEditor = later(async () => (await import("../editor/NotesEditor")).NotesEditor);

export type Tab = "notes" | "comments" | "suggestions";
const TABS: readonly Tab[] = ["notes", "comments", "suggestions"];

/** Which tab a key leads to from another one (WAI-ARIA Authoring Practices, "Tabs"). */
function neighbour(tab: Tab, key: string): Tab | undefined {
  const at = TABS.indexOf(tab);
  const steps: Record<string, number> = {
    ArrowLeft: at - 1,
    ArrowRight: (at + 1) % TABS.length,
    Home: 0,
    End: -1,
  };
  return TABS.at(steps[key] ?? TABS.length);
}

interface Props {
  readonly transcript: SharedTranscript;
  readonly readOnly: boolean;
  readonly author: string;
  readonly tab: Tab;
  readonly onTab: (tab: Tab) => void;
  readonly show: (from: number, to: number) => void;
}

/** Drawn for what it shows, not for each key that is typed beside it. */
export const SidePanel = memo(function SidePanel(props: Props) {
  const { transcript, readOnly, author, tab, onTab, show } = props;
  const say = useSay();
  const comments = useShared(transcript, "comments", sayAlike).filter(({ resolved }) => !resolved);
  const suggestions = useShared(transcript, "suggestions");
  const counts: Record<Tab, number> = {
    notes: 0,
    comments: comments.length,
    suggestions: suggestions.length,
  };
  const [onPhone, setOnPhone] = useState(false);
  return (
    <aside className={onPhone ? "side open" : "side"} aria-label={say("panel.open")}>
      <button
        type="button"
        className="side-handle"
        aria-expanded={onPhone}
        onClick={() => setOnPhone(!onPhone)}
      >
        {say("panel.open")}
      </button>
      <div className="side-body">
        <div role="tablist" className="tabs">
          {TABS.map((each) => (
            <button
              key={each}
              type="button"
              role="tab"
              id={`tab-${each}`}
              aria-controls="side-content"
              aria-selected={each === tab}
              tabIndex={each === tab ? 0 : -1}
              onKeyDown={(event) => {
                const next = neighbour(each, event.key);
                if (next === undefined) return;
                event.preventDefault();
                onTab(next);
                document.getElementById(`tab-${next}`)?.focus();
              }}
              onClick={() => onTab(each)}
            >
              {say(`panel.${each}`)}{" "}
              {counts[each] > 0 && <span className="count">{counts[each]}</span>}
            </button>
          ))}
        </div>
        <div
          role="tabpanel"
          id="side-content"
          aria-labelledby={`tab-${tab}`}
          className="side-content"
        >
          {tab === "notes" && <NotesEditor transcript={transcript} readOnly={readOnly} />}
          {tab === "comments" && (
            <Comments transcript={transcript} readOnly={readOnly} author={author} show={show} />
          )}
          {tab === "suggestions" && (
            <Suggestions transcript={transcript} readOnly={readOnly} show={show} />
          )}
        </div>
      </div>
    </aside>
  );
});
