/** Having a passage heard once more, in another language or by another model. */

import { type FormEvent, useState } from "react";
import type { Job, Library } from "trax-client";
import { Dialog } from "../Dialog";
import { explain } from "../errors";
import { clock } from "../format";
import { type Say, useSay } from "../i18n";
import { LanguageOptions } from "./LanguageOptions";
import { asHotwords } from "./wishes";

interface Props {
  readonly id: string;
  readonly library: Library;
  readonly span: { startMs: number; endMs: number };
  readonly onClose: () => void;
}

export function AgainDialog({ id, library, span, onClose }: Props) {
  const say = useSay();
  const [told, setTold] = useState("");
  const [busy, setBusy] = useState(false);

  async function begin(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [language, model] = [String(form.get("language")), String(form.get("model")).trim()];
    const hearing = {
      ...(language ? { language } : {}),
      ...(model ? { model } : {}),
      hotwords: asHotwords(String(form.get("hotwords") ?? "")),
    };
    const as = form.get("as") === "suggestion" ? "suggestion" : "replacement";
    setBusy(true);
    try {
      for (const job of await library.retranscribe(id, span.startMs, span.endMs, { hearing, as })) {
        for await (const now of library.watch(id, job.id)) setTold(stateOf(now, say));
      }
    } catch (error) {
      setTold(explain(error, say));
    }
    setBusy(false);
  }

  return (
    <Dialog title={say("again.title")} onClose={onClose}>
      <p>
        {clock(span.startMs)}–{clock(span.endMs)}
      </p>
      <form className="stacked" onSubmit={(event) => void begin(event)}>
        <label>
          {say("set.language")}
          <select name="language">
            <option value="">{say("set.auto")}</option>
            <LanguageOptions />
          </select>
        </label>
        <label>
          {say("again.model")}
          <input name="model" maxLength={200} />
        </label>
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
        <p role="status">{told}</p>
      </form>
    </Dialog>
  );
}

function stateOf({ state, progress, error }: Job, say: Say): string {
  switch (state) {
    case "failed":
      return say("job.failed", { why: error ?? "" });
    case "running":
      return say("job.running", { percent: Math.round(progress / 10) });
    case "done":
      return say("job.done");
    default:
      return say("job.waiting");
  }
}
