/** Recordings on their way: sent, heard, written. Each becomes a transcript of its own. */

import { useState } from "react";
import type { Job, Library } from "trax-client";
import { askUntil } from "../leaving";
import { libraryFor } from "../server";
import { clearAwaited, setAwaited } from "./awaited";

export interface Upload {
  readonly key: number;
  readonly name: string;
  readonly transcript: string | null;
  /** Sent, 0..1. */
  readonly sent: number;
  readonly job: Job | null;
  readonly error: unknown;
}

/** Whether some of it is not sent yet, and will be. */
export const isOnItsWay = ({ job, error }: Upload): boolean => job === null && error === null;

type Change = (fields: Partial<Upload>) => void;

let count = 0;

export function useUploads(onChange: () => void) {
  const [uploads, setUploads] = useState<readonly Upload[]>([]);

  async function send(file: File): Promise<void> {
    const key = ++count;
    const change: Change = (fields) =>
      setUploads((all) => all.map((each) => (each.key === key ? { ...each, ...fields } : each)));
    const begun = { key, name: file.name, transcript: null, sent: 0, job: null, error: null };
    setUploads((all) => [begun, ...all]);
    const library = libraryFor(null);
    let transcript: string | null = null;
    try {
      const title = file.name.replace(/\.[^.]{1,5}$/, "").replace(/\p{Cc}/gu, "");
      transcript = (await library.create({ title: title.slice(0, 200) })).id;
      setAwaited(transcript);
      change({ transcript });
      onChange();
      const onProgress = (sent: number, total: number) =>
        change({ sent: total ? sent / total : 1 });
      const job = await library.upload(transcript, file, { onProgress });
      clearAwaited(transcript);
      change({ job, sent: 1 });
      void watch(library, transcript, job.id, change);
    } catch (error) {
      change({ error });
      // Where the server is away, the transcript's row goes on saying what is missing.
      if (transcript !== null) await deleteUnused(library, transcript).catch(() => undefined);
      onChange();
    }
  }

  /** Tells how far a job is; the recording is safe on the server, whatever happens here. */
  async function watch(
    library: Library,
    transcript: string,
    job: string,
    change: Change,
  ): Promise<void> {
    try {
      for await (const now of library.watch(transcript, job)) change({ job: now });
    } catch (error) {
      change({ error });
    }
    onChange();
  }

  return {
    uploads,
    send: (files: Iterable<File>) => {
      for (const file of [...files]) askUntil(send(file));
    },
  };
}

/** Deletes the transcript of a recording that did not come, unless it came or people wrote there. */
export async function deleteUnused(
  library: Pick<Library, "jobs" | "read" | "delete">,
  transcript: string,
): Promise<void> {
  const { done: unheard } = await library.jobs(transcript).next();
  const { turns, notes } = await library.read(transcript);
  if (unheard && turns.length === 0 && notes === "") await library.delete(transcript);
  clearAwaited(transcript);
}
