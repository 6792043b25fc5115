/** One transcript: spoken, edited together, heard, taken away. */

import { useEffect, useState } from "react";
import { explain } from "../errors";
import { useSay } from "../i18n";
import { libraryFor } from "../server";
import { Unsent } from "../start/Unsent";
import { TopBar } from "../TopBar";
import { Meeting } from "./Meeting";
import { useTranscript } from "./useTranscript";

export function MeetingPage({ id, onRefused }: { id: string; onRefused: () => void }) {
  const say = useSay();
  const { opened, error } = useTranscript(id, onRefused);
  const [library] = useState(() => libraryFor(id));
  useEffect(() => {
    if (!opened) document.title = "Trax";
  }, [opened]);
  if (opened) return <Meeting {...opened} library={library} error={error} />;
  return (
    <div className="start">
      <TopBar />
      <main>
        <h1 className="unseen">Trax</h1>
        {error === null ? (
          <div className="loading" role="status" aria-label="Trax" />
        ) : (
          <>
            <p role="alert" className="problem">
              {explain(error, say)} <a href="#/">{say("app.back")}</a>
            </p>
            <Unsent />
          </>
        )}
      </main>
    </div>
  );
}
