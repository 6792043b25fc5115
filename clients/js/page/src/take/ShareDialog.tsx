/** Links by which others enter: made, listed, ended. */

import { type FormEvent, useCallback, useEffect, useState } from "react";
import type { Library, Link } from "trax-client";
import { Dialog } from "../Dialog";
import { explain } from "../errors";
import { date } from "../format";
import { useSpeech } from "../i18n";
import { linkTo } from "../server";

const DAY_MS = 86_400_000;

export function ShareDialog({
  id,
  library,
  onClose,
}: {
  id: string;
  library: Library;
  onClose: () => void;
}) {
  const { say, tongue } = useSpeech();
  const [links, setLinks] = useState<readonly Link[]>([]);
  const [fresh, setFresh] = useState<string | null>(null);
  const [told, setTold] = useState("");
  const fail = useCallback((error: unknown) => setTold(explain(error, say)), [say]);
  const load = useCallback(
    () => library.links(id).then((all) => setLinks(all.filter(({ valid }) => valid)), fail),
    [library, id, fail],
  );
  useEffect(() => void load(), [load]);

  async function make(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const role = form.get("role") === "editor" ? "editor" : "viewer";
    try {
      const days = Number(form.get("days"));
      const made = await library.createLink(id, {
        role,
        label: String(form.get("label") ?? ""),
        ...(days > 0 ? { expiresMs: Date.now() + days * DAY_MS } : {}),
      });
      setFresh(linkTo(id, made.token));
      setTold("");
      await load();
    } catch (error) {
      fail(error);
    }
  }

  return (
    <Dialog title={say("share.title")} onClose={onClose}>
      <p>{say("share.hint")}</p>
      <form className="share-form" onSubmit={(event) => void make(event)}>
        <input
          name="label"
          aria-label={say("share.label")}
          placeholder={say("share.label")}
          maxLength={200}
        />
        <select name="role" aria-label={say("share.role")}>
          <option value="editor">{say("share.editor")}</option>
          <option value="viewer">{say("share.viewer")}</option>
        </select>
        <select name="days" aria-label={say("share.until")} defaultValue="0">
          <option value="1">{say("share.day")}</option>
          <option value="7">{say("share.week")}</option>
          <option value="0">{say("share.always")}</option>
        </select>
        <button type="submit" className="primary">
          {say("share.make")}
        </button>
      </form>
      {fresh && (
        <div className="fresh">
          <input
            readOnly
            value={fresh}
            aria-label={say("share.copy")}
            onFocus={(e) => e.target.select()}
          />
          {navigator.clipboard && (
            <button
              type="button"
              onClick={() =>
                navigator.clipboard.writeText(fresh).then(() => setTold(say("app.copied")), fail)
              }
            >
              {say("share.copy")}
            </button>
          )}
          <small>{say("share.once")}</small>
        </div>
      )}
      <p role="status">{told}</p>
      <ul className="links">
        {links.map((link) => (
          <li key={link.id}>
            <span>
              {link.label || say("speaker.unknown")}{" "}
              <small>
                {say(link.role === "editor" ? "share.editor" : "share.viewer")}
                {link.expiresMs !== null &&
                  `, ${say("share.ends", { date: date(link.expiresMs, tongue) })}`}
              </small>
            </span>
            <button
              type="button"
              className="quiet"
              onClick={() => void library.endLink(id, link.id).then(load, fail)}
            >
              {say("share.end")}
            </button>
          </li>
        ))}
        {links.length === 0 && <li className="nothing">{say("share.none")}</li>}
      </ul>
    </Dialog>
  );
}
