/** Above a transcript: its title, who is here, how things are, search, take away, share. */

import { useState } from "react";
import type { Library } from "trax-client";
import type { SharedTranscript } from "trax-client/transcript";
import { colourOf } from "../editor/presence";
import { useSay } from "../i18n";
import { laterDialog } from "../later";
import type { Role } from "../server";
import { TopBar } from "../TopBar";
import { TakeMenu } from "../take/TakeMenu";
import type { TimedWord } from "../words/timing";
import { StatusLine } from "./StatusLine";
import type { Shown } from "./shown";
import { Title } from "./Title";
import type { Recording } from "./useRecording";
import { useShared } from "./useShared";
import { keepName, myName, showUs } from "./useTranscript";
import { ViewMenu } from "./ViewMenu";

const ShareDialog = laterDialog(async () => (await import("../take/ShareDialog")).ShareDialog);

interface Props {
  readonly transcript: SharedTranscript;
  readonly library: Library;
  readonly role: Role;
  readonly recording: Recording;
  readonly shown: Shown;
  readonly onShown: (fields: Partial<Shown>) => void;
  readonly onFind: () => void;
  readonly onHelp: () => void;
  readonly timed: () => readonly TimedWord[];
}

export function MeetingBar(props: Props) {
  const { transcript, library, role, recording } = props;
  const say = useSay();
  const [sharing, setSharing] = useState(false);
  return (
    <>
      <TopBar>
        <Title transcript={transcript} library={library} readOnly={role === "viewer"} />
      </TopBar>
      <section className="tools" aria-label={say("meeting.tools")}>
        <StatusLine transcript={transcript} recording={recording} />
        <People transcript={transcript} />
        <span className="fill" />
        <button
          type="button"
          className="icon"
          aria-label={say("take.find")}
          title={say("take.find")}
          onClick={props.onFind}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <circle cx="11" cy="11" r="6" />
            <path d="m16 16 4 4" />
          </svg>
        </button>
        <ViewMenu shown={props.shown} onChange={props.onShown} onHelp={props.onHelp} />
        <TakeMenu transcript={transcript} library={library} timed={props.timed} />
        {role === "owner" && (
          <button type="button" onClick={() => setSharing(true)}>
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <circle cx="9.5" cy="8" r="3.3" />
              <path d="M3.5 19.5c0-3.4 2.7-5.7 6-5.7s6 2.3 6 5.7M18.5 7v6M15.5 10h6" />
            </svg>
            <span className="label">{say("share.title")}</span>
          </button>
        )}
        <button
          type="button"
          className="icon keys-help"
          aria-label={say("keys.help")}
          title={say("keys.help")}
          onClick={props.onHelp}
        >
          ?
        </button>
      </section>
      {sharing && (
        <ShareDialog id={transcript.id} library={library} onClose={() => setSharing(false)} />
      )}
    </>
  );
}

function People({ transcript }: { transcript: SharedTranscript }) {
  const say = useSay();
  const people = useShared(transcript, "people");
  const [name, setName] = useState(myName);
  return (
    <span className="people">
      <input
        className="my-name bare"
        value={name}
        maxLength={60}
        placeholder={say("set.nameShort")}
        aria-label={say("set.name")}
        onChange={(event) => {
          const next = event.target.value;
          setName(next);
          keepName(next);
          showUs(transcript, next || "…");
        }}
      />
      {people.slice(0, 6).map((person) => (
        <span
          key={person.client}
          className={`avatar voice-${colourOf(person.client, person.colour)}`}
          role="img"
          title={person.name}
          aria-label={say("meeting.others", { names: person.name })}
        >
          {[...person.name][0]?.toUpperCase()}
        </span>
      ))}
    </span>
  );
}
