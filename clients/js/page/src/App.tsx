/** Which page is shown: the start, or the meeting that the address names. */

import { useEffect, useState } from "react";
import { useSay } from "./i18n";
import { later, Missing } from "./later";
import { comesByLink, keepToken, tokenFor, transcriptIn } from "./server";
import { StartPage } from "./start/StartPage";

// The editor is most of the page's weight, and the start page needs none of it.
const MeetingPage = later(async () => (await import("./meeting/MeetingPage")).MeetingPage, {
  waiting: <div className="loading" role="status" aria-label="Trax" />,
  missing: ({ onRetry }) => (
    <main className="token">
      <Missing onRetry={onRetry} />
    </main>
  ),
});

export function App() {
  const [hash, setHash] = useState(location.hash);
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    const follow = () => {
      setHash(location.hash);
      setRefused(false);
    };
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const id = transcriptIn(hash);
  if (refused && comesByLink(id)) return <TokenForm reason="linkEnded" />;
  if (refused) return <TokenForm reason="wrong" />;
  if (tokenFor(id) === null) return <TokenForm reason="none" />;
  if (id === null) return <StartPage onRefused={() => setRefused(true)} />;
  return <MeetingPage key={id} id={id} onRefused={() => setRefused(true)} />;
}

/** Asks for the server's own token: there is none, or what there is does not count. */
function TokenForm({ reason }: { reason: "none" | "wrong" | "linkEnded" }) {
  const say = useSay();
  const ended = reason === "linkEnded";
  return (
    <main className="token">
      <h1>{say(ended ? "token.linkEnded" : "token.title")}</h1>
      <p>{say(ended ? "token.linkEndedHint" : "token.hint")}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          keepToken(String(new FormData(event.currentTarget).get("token") ?? "").trim());
          location.reload();
        }}
      >
        <label>
          {say("token.label")}
          <input name="token" type="password" required autoComplete="off" />
        </label>
        <button type="submit" className="primary">
          {say("token.enter")}
        </button>
      </form>
      {reason === "wrong" && <p role="alert">{say("token.wrong")}</p>}
    </main>
  );
}
