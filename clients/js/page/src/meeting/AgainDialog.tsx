/** Having a passage heard once more, in another language or by another model. */

import { type FormEvent, useEffect, useState } from "react";
import { type Job, type Library, type Model, Unauthorized } from "trax-client";
import type { SharedTranscript } from "trax-client/transcript";
import { Dialog } from "../Dialog";
import { explain } from "../errors";
import { span as written } from "../format";
import { useSpeech } from "../i18n";
import { describeJobs } from "../job";
import { LanguageOptions } from "./LanguageOptions";
import { useShared } from "./useShared";
import { asHotwords } from "./wishes";

interface Props {
  readonly transcript: SharedTranscript;
  readonly library: Library;
  readonly span: { startMs: number; endMs: number };
  readonly onClose: () => void;
}

export function AgainDialog({ transcript, library, span, onClose }: Props) {
  const { say, tongue } = useSpeech();
  const { id } = transcript;
  const suggestions = useShared(transcript, "suggestions");
  /** Suggestions that were there before. */
  const [old, setOld] = useState<ReadonlySet<string>>(new Set());
  const [language, setLanguage] = useState("");
  const [models, setModels] = useState<readonly Model[]>([]);
  const [jobs, setJobs] = useState<readonly Job[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [closed] = useState(() => new AbortController());
  useEffect(() => () => closed.abort(), [closed]);
  useEffect(() => {
    library.models().then(setModels, (refused) => {
      // Who came by a link is not told what the server has, and takes its choice.
      if (!(refused instanceof Unauthorized)) setError(refused);
    });
  }, [library]);

  async function follow(begun: Job): Promise<void> {
    for await (const now of library.watch(id, begun.id, { signal: closed.signal })) {
      setJobs((all) => all.map((each) => (each.id === now.id ? now : each)));
    }
  }

  async function begin(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const model = String(form.get("model") ?? "");
    const hearing = {
      ...(language ? { language } : {}),
      ...(model ? { model } : {}),
      hotwords: asHotwords(String(form.get("hotwords") ?? "")),
    };
    const as = form.get("as") === "suggestion" ? "suggestion" : "replacement";
    setBusy(true);
    setError(null);
    setOld(new Set(transcript.suggestions.map((each) => each.id)));
    try {
      const begun = await library.retranscribe(id, span.startMs, span.endMs, { hearing, as });
      setJobs(begun);
      await Promise.all(begun.map(follow));
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  }

  const suggested = suggestions.filter((each) => !old.has(each.id)).length;
  const names = new Intl.DisplayNames(tongue, { type: "language" });
  const knows = ({ languages }: Model) => !language || (languages?.includes(language) ?? true);
  const called = ({ name, languages }: Model) =>
    languages ? `${name} (${languages.map((code) => names.of(code)).join(", ")})` : name;
  return (
    <Dialog title={say("again.title")} onClose={onClose}>
      <p>{written(span.startMs, span.endMs)}</p>
      <form className="stacked" onSubmit={(event) => void begin(event)}>
        <label>
          {say("set.language")}
          <select value={language} onChange={(event) => setLanguage(event.target.value)}>
            <option value="">{say("set.auto")}</option>
            <LanguageOptions />
          </select>
        </label>
        {models.length > 0 && (
          <label>
            {say("again.model")}
            <select name="model">
              <option value="">{say("again.anyModel")}</option>
              {models.filter(knows).map((model) => (
                <option key={model.name} value={model.name}>
                  {called(model)}
                </option>
              ))}
            </select>
          </label>
        )}
        <fieldset className="choice">
          <legend>{say("again.as")}</legend>
          {(["replacement", "suggestion"] as const).map((each) => (
            <label key={each} className="check">
              <input type="radio" name="as" value={each} defaultChecked={each === "replacement"} />
              {say(`again.${each}`)}
            </label>
          ))}
        </fieldset>
        <label>
          {say("set.vocabulary")}
          <input name="hotwords" />
        </label>
        <button type="submit" className="primary" disabled={busy}>
          {say("again.start")}
        </button>
        <p role="status">
          {error === null ? describeJobs(jobs, suggested, say) : explain(error, say)}
        </p>
      </form>
    </Dialog>
  );
}
