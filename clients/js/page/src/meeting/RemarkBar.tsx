/** A comment or a tag while it is written: it stays open until it is sent or cancelled. */

import { type FormEvent, useState } from "react";
import { MOST_AT_ONCE } from "../editor/bound";
import { useSay } from "../i18n";

export type Remark = "comment" | "tag";

interface Props {
  readonly kind: Remark;
  /** @returns Whether there still was something that it could be about. */
  readonly onSend: (text: string) => boolean;
  readonly onClose: () => void;
}

export function RemarkBar({ kind, onSend, onClose }: Props) {
  const say = useSay();
  const [text, setText] = useState("");
  const label = say(kind === "tag" ? "tag.label" : "comment.write");

  function send(event: FormEvent) {
    event.preventDefault();
    const written = kind === "tag" ? text.trim().replace(/^#/, "") : text.trim();
    if (written && onSend(written)) onClose();
  }

  return (
    <div className="selection-bar">
      <form onSubmit={send}>
        <input
          // biome-ignore lint/a11y/noAutofocus: it was opened to type in
          autoFocus
          value={text}
          maxLength={MOST_AT_ONCE}
          aria-label={label}
          placeholder={label}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={({ key }) => key === "Escape" && onClose()}
        />
        <button type="submit" className="primary">
          {say(kind === "tag" ? "select.tag" : "comment.send")}
        </button>
        <button type="button" className="icon" aria-label={say("app.close")} onClick={onClose}>
          ✕
        </button>
      </form>
    </div>
  );
}
