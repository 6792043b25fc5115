/** Having a passage heard once more, in another language or by another model. */

import { type FormEvent, useState } from "react";
import type { Library } from "trax-client";
import { Dialog } from "../Dialog";
import { explain } from "../errors";
import { clock } from "../format";
import { useSay } from "../i18n";
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
    setBusy(true);
    try {
      for (const job of await library.retranscribe(id, span.startMs, span.endMs, { hearing })) {
        for await (const now of library.watch(id, job.id)) {
          const percent = Math.round(now.progress / 10);
          if (now.state === "failed") setTold(say("job.failed", { why: now.error ?? "" }));
          else if (now.state === "running") setTold(say("job.running", { percent }));
          else setTold(say(now.state === "done" ? "job.done" : "job.waiting"));
        }
      }
    } catch (error) {
      setTold(explain(error, say));
    }
    setBusy(false);
  }

  return (
    <Dialog title={say("again.title")} onClose={onClose}>
      <p>
        {clock(span.startMs)}–{clock(span.endMs)}. {say("again.hint")}
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
