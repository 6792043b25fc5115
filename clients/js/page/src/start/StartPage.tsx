/** The start: all transcripts, search, a new meeting, recordings to be heard. */

import { useEffect, useState } from "react";
import { Forbidden, Unauthorized } from "trax-client";
import { explain } from "../errors";
import { clock, date } from "../format";
import { useSpeech } from "../i18n";
import { describeJob, keepsWords } from "../job";
import { confirmToken, dropToken, hashOf, libraryFor } from "../server";
import { nameIn } from "../speakers";
import { TopBar } from "../TopBar";
import { clearAwaited, isAwaited } from "./awaited";
import { Dropzone } from "./Dropzone";
import { Unsent } from "./Unsent";
import { type Row, useTranscripts } from "./useTranscripts";
import { isOnItsWay, useUploads } from "./useUploads";

export function StartPage({ onRefused }: { onRefused: () => void }) {
  const { say } = useSpeech();
  const [library] = useState(() => libraryFor(null));
  const [query, setQuery] = useState("");
  const [failure, setFailure] = useState<unknown>(null);
  const list = useTranscripts(query.trim());
  const { uploads, send } = useUploads(list.reload);
  const refusal = list.error;
  const error = refusal ?? failure;

  useEffect(() => {
    document.title = "Trax";
  }, []);
  useEffect(() => {
    if (!(refusal instanceof Unauthorized || refusal instanceof Forbidden)) return;
    if (dropToken(null)) location.reload();
    else if (refusal instanceof Unauthorized) onRefused();
  }, [refusal, onRefused]);
  const known = list.rows !== null;
  useEffect(() => {
    if (known) confirmToken(null);
  }, [known]);

  async function begin() {
    try {
      location.hash = hashOf((await library.create()).id);
    } catch (caught) {
      setFailure(caught);
    }
  }

  async function remove(row: Row) {
    const title = row.title || say("app.untitled");
    if (!confirm(say("start.deleteSure", { title }))) return;
    await library.delete(row.id).then(() => clearAwaited(row.id), setFailure);
    list.reload();
  }

  return (
    <div className="start">
      <TopBar />
      <main>
        <div className="hero">
          <div>
            <h1>{say("start.title")}</h1>
            <p>{say("app.tagline")}</p>
          </div>
          <button type="button" className="primary big" onClick={() => void begin()}>
            {say("start.new")}
          </button>
        </div>
        <Unsent />
        <Dropzone uploads={uploads} send={send} />
        <input
          className="search"
          type="search"
          maxLength={200}
          value={query}
          placeholder={say("start.search")}
          aria-label={say("start.search")}
          onChange={(event) => setQuery(event.target.value)}
        />
        {error !== null && (
          <p role="alert" className="problem">
            {explain(error, say)}{" "}
            <button type="button" onClick={list.reload}>
              {say("app.retry")}
            </button>
          </p>
        )}
        {list.rows && (
          <ul className="rows">
            {list.rows.map((row) => (
              <Entry
                key={row.id}
                row={row}
                arrives={uploads.some((each) => each.transcript === row.id && isOnItsWay(each))}
                onDelete={() => void remove(row)}
              />
            ))}
          </ul>
        )}
        {list.rows?.length === 0 && (
          <p className="nothing">{query ? say("start.noneFound", { query }) : say("start.none")}</p>
        )}
        {list.more && (
          <button type="button" onClick={list.next}>
            {say("start.more")}
          </button>
        )}
      </main>
    </div>
  );
}

interface EntryProps {
  readonly row: Row;
  /** Its recording is being sent. */
  readonly arrives: boolean;
  readonly onDelete: () => void;
}

function Entry({ row, arrives, onDelete }: EntryProps) {
  const { say, tongue } = useSpeech();
  const wordless = row.speakers?.length === 0;
  const awaited = row.durationMs === 0 && isAwaited(row.id);
  const { job } = row;
  const voices = (row.speakers ?? []).map((name) => nameIn(name, say));
  return (
    <li className="row">
      <a href={hashOf(row.id)}>
        <span className="title">{row.title || say("app.untitled")}</span>
        <span className="facts">
          {/* By which they are ordered. */}
          <span>{say("start.changed", { when: date(row.updatedMs, tongue) })}</span>
          {row.durationMs > 0 && <span>{clock(row.durationMs)}</span>}
          {voices.length > 0 && <span className="voices">{voices.slice(0, 4).join(", ")}</span>}
          <span className={`state ${row.state}`}>
            {say(row.state === "closed" ? "start.closed" : "start.live")}
          </span>
          {wordless && job && keepsWords(job) && (
            <span className={`state ${job.state}`}>{describeJob(job, say)}</span>
          )}
          {awaited && !arrives && !job && (
            <span className="state awaited">{say("start.awaited")}</span>
          )}
        </span>
      </a>
      <button
        type="button"
        className="quiet"
        aria-label={`${say("start.delete")}: ${row.title || say("app.untitled")}`}
        title={say("start.delete")}
        onClick={onDelete}
      >
        ✕
      </button>
    </li>
  );
}
