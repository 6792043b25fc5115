/** Where recordings are dropped, and how far each of them is. */

import { useState } from "react";
import { explain } from "../errors";
import { type Say, useSay } from "../i18n";
import { describeJob } from "../job";
import { hashOf } from "../server";
import type { Upload } from "./useUploads";

interface Props {
  readonly uploads: readonly Upload[];
  readonly send: (files: Iterable<File>) => void;
}

export function Dropzone({ uploads, send }: Props) {
  const say = useSay();
  const [over, setOver] = useState(false);
  return (
    <section className="drop-area">
      <label
        className={over ? "drop over" : "drop"}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          send(event.dataTransfer.files);
        }}
      >
        <strong>{say("drop.title")}</strong>
        <span>{say("drop.hint")}</span>
        <input
          type="file"
          multiple
          accept="audio/*,video/*"
          aria-label={say("drop.choose")}
          onChange={(event) => {
            send(event.target.files ?? []);
            event.target.value = "";
          }}
        />
      </label>
      {uploads.length > 0 && (
        <ul className="uploads">
          {uploads.map((upload) => (
            <li key={upload.key}>
              <span className="name">{upload.name}</span>
              {upload.error === null && (
                <progress max={1} value={progress(upload)} aria-label={upload.name} />
              )}
              <span className={upload.error === null ? "state" : "state failed"} role="status">
                {describe(upload, say)}
              </span>
              {upload.job?.state === "done" && upload.transcript && (
                <a href={hashOf(upload.transcript)}>{say("job.open")}</a>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** How far it is with what is said beside it, 0..1: first with sending, then with hearing. */
export function progress({ sent, job }: Upload): number {
  if (job === null) return sent;
  return job.over ? 1 : job.progress / 1000;
}

function describe({ sent, job, error }: Upload, say: Say): string {
  if (error !== null) return explain(error, say);
  if (job === null) return say("job.sending", { percent: Math.round(100 * sent) });
  return describeJob(job, say);
}
