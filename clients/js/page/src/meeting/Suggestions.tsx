/** Where the accurate pass heard something else than people wrote. */

import { useState } from "react";
import type { SharedTranscript, Suggestion } from "trax-client/transcript";
import { clock } from "../format";
import { useSay } from "../i18n";
import { useShared } from "./useShared";

interface Props {
  readonly transcript: SharedTranscript;
  readonly readOnly: boolean;
  readonly show: (from: number, to: number) => void;
}

export function Suggestions({ transcript, readOnly, show }: Props) {
  const say = useSay();
  const suggestions = useShared(transcript, "suggestions");
  if (suggestions.length === 0) return <p className="nothing">{say("suggest.none")}</p>;
  return suggestions.map((each) => (
    <Card key={each.id} each={each} transcript={transcript} readOnly={readOnly} show={show} />
  ));
}

function Card({ each, transcript, readOnly, show }: Props & { each: Suggestion }) {
  const say = useSay();
  const [outdated, setOutdated] = useState(false);
  return (
    <article className="suggestion">
      <button
        type="button"
        className="quote"
        title={say("comment.show")}
        onClick={() => {
          const place = transcript.place(each);
          if (place) show(...place);
        }}
      >
        <span className="suggestion-time">{clock(each.startMs)}</span> {each.before}
        <del>{each.text}</del>
        <ins>{each.alternative}</ins>
        {each.after}
      </button>
      {outdated && <p role="alert">{say("suggest.outdated")}</p>}
      {!readOnly && (
        <div className="thread-actions">
          <button
            type="button"
            className="primary"
            onClick={() => {
              try {
                transcript.accept(each.id);
              } catch {
                setOutdated(true);
              }
            }}
          >
            {say("suggest.accept")}
          </button>
          <button type="button" className="quiet" onClick={() => transcript.dismiss(each.id)}>
            {say("suggest.dismiss")}
          </button>
        </div>
      )}
    </article>
  );
}
