/** Copy, and files of every kind. */

import { useState } from "react";
import type { Library } from "trax-client";
import type { SharedTranscript } from "trax-client/transcript";
import { explain } from "../errors";
import { useSay } from "../i18n";
import { Popover } from "../Popover";
import type { TimedWord } from "../words/timing";
import { asText, FORMATS, fileName, obsidianNote, save, saveExport } from "./files";

interface Props {
  readonly transcript: SharedTranscript;
  readonly library: Library;
  readonly timed: () => readonly TimedWord[];
}

export function TakeMenu({ transcript, library, timed }: Props) {
  const say = useSay();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [told, setTold] = useState("");
  const title = () => transcript.meta.title || say("app.untitled");

  const attempt = (work: () => Promise<void>) => () => {
    setTold("");
    work().catch((error: unknown) => setTold(explain(error, say)));
  };
  const copy = (times: boolean) =>
    attempt(async () => {
      await navigator.clipboard.writeText(asText(transcript.turns, timed(), times));
      setTold(say("app.copied"));
    });
  const obsidian = attempt(async () => {
    const [markdown, about] = await Promise.all([
      library.export(transcript.id, "md").then((blob) => blob.text()),
      library.get(transcript.id),
    ]);
    const note = obsidianNote(markdown, {
      title: title(),
      date: new Date(about.startedMs),
      durationMs: about.durationMs,
      people: about.speakers.map(({ id, name }) => name || id),
      tags: transcript.tags.map(({ label }) => label),
    });
    save(new Blob([note], { type: "text/markdown" }), fileName(title(), "md"));
  });

  return (
    <>
      <button
        type="button"
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(anchor ? null : event.currentTarget)}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M12 4v11M7.5 11 12 15.5 16.5 11M5 19.5h14" />
        </svg>
        <span className="label">{say("take.menu")}</span>
      </button>
      {anchor && (
        <Popover anchor={() => anchor} label={say("take.menu")} onClose={() => setAnchor(null)}>
          <div className="menu">
            <button type="button" onClick={copy(false)}>
              {say("take.copy")}
            </button>
            <button type="button" onClick={copy(true)}>
              {say("take.copyTimes")}
            </button>
            <hr />
            {FORMATS.map((format) => (
              <button
                key={format}
                type="button"
                onClick={attempt(() => saveExport(library, transcript.id, format, title()))}
              >
                {say(`take.${format}`)} <small>.{format}</small>
              </button>
            ))}
            <button type="button" onClick={obsidian}>
              {say("take.obsidian")} <small>.md</small>
            </button>
            <p role="status">{told}</p>
          </div>
        </Popover>
      )}
    </>
  );
}
