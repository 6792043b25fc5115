/** A transcript's title: typed in place, and sent again until the server has it. */

import { useEffect, useState } from "react";
import type { Library } from "trax-client";
import type { SharedTranscript } from "trax-client/transcript";
import { explain } from "../errors";
import { useSay } from "../i18n";
import { askWhile } from "../leaving";
import { useShared } from "./useShared";

interface Props {
  readonly transcript: SharedTranscript;
  readonly library: Library;
  readonly readOnly: boolean;
}

/** A title that the server did not take, and why. */
interface Unsaved {
  readonly title: string;
  readonly why: unknown;
}

export function Title({ transcript, library, readOnly }: Props) {
  const say = useSay();
  const { title } = useShared(transcript, "meta");
  const state = useShared(transcript, "state");
  const [typed, setTyped] = useState<string | null>(null);
  const [unsaved, setUnsaved] = useState<Unsaved | null>(null);
  const waits = unsaved !== null;
  useEffect(() => {
    document.title = title ? `${title} · Trax` : "Trax";
  }, [title]);
  useEffect(() => (waits ? askWhile() : undefined), [waits]);

  async function save(wanted: string) {
    try {
      if (wanted !== title) {
        await library.change(transcript.id, { title: wanted.replace(/\p{Cc}/gu, " ") });
      }
      // What is typed by now is saved when it is done.
      setTyped((now) => (now === wanted ? null : now));
      setUnsaved(null);
    } catch (why) {
      setUnsaved({ title: wanted, why });
    }
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the connection is back
  useEffect(() => {
    if (state === "live" && unsaved) void save(unsaved.title);
  }, [state]);

  return (
    <>
      <h1 className="unseen">{title || say("app.untitled")}</h1>
      <input
        className="title-field bare"
        aria-label={say("meeting.title")}
        aria-invalid={waits}
        placeholder={say("app.untitled")}
        value={typed ?? title}
        readOnly={readOnly}
        maxLength={200}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={() => {
          if (typed !== null) void save(typed);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
        }}
      />
      {unsaved && (
        <span role="status" className="title-unsaved">
          {state === "live" ? explain(unsaved.why, say) : say("meeting.titleWaits")}
        </span>
      )}
    </>
  );
}
