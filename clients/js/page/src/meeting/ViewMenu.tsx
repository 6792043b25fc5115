/** What is shown besides the words; on phones also the page's language and colours. */

import { useState } from "react";
import { type Key, useSay } from "../i18n";
import { Popover } from "../Popover";
import { PageSettings } from "../TopBar";
import type { Shown } from "./shown";

interface Props {
  readonly shown: Shown;
  readonly onChange: (fields: Partial<Shown>) => void;
  readonly onHelp: () => void;
}

const SWITCHES: readonly (readonly [keyof Shown, Key])[] = [
  ["corrections", "view.corrections"],
  ["doubt", "view.confidence"],
  ["aloud", "view.aloud"],
];

export function ViewMenu({ shown, onChange, onHelp }: Props) {
  const say = useSay();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <>
      <button
        type="button"
        className="icon"
        aria-label={say("view.menu")}
        title={say("view.menu")}
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(anchor ? null : event.currentTarget)}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Z" />
          <circle cx="12" cy="12" r="2.8" />
        </svg>
      </button>
      {anchor && (
        <Popover anchor={() => anchor} label={say("view.menu")} onClose={() => setAnchor(null)}>
          {SWITCHES.map(([field, key]) => (
            <label key={field} className="check">
              <input
                type="checkbox"
                checked={shown[field]}
                onChange={(event) => onChange({ [field]: event.target.checked })}
              />
              <span className={field === "aloud" ? undefined : `sample ${field}`}>{say(key)}</span>
            </label>
          ))}
          <div className="on-phones">
            <PageSettings />
            <button type="button" className="quiet" onClick={onHelp}>
              {say("keys.help")}
            </button>
          </div>
        </Popover>
      )}
    </>
  );
}
