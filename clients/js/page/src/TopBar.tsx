/** What stands above everything: where one is, theme and language. */

import type { ReactNode } from "react";
import { LANGUAGES, type Tongue, useSpeech } from "./i18n";
import { toggleTheme } from "./theme";

export function TopBar({ children }: { children?: ReactNode }) {
  const { say } = useSpeech();
  return (
    <header className="topbar">
      <a className="brand" href="#/" aria-label={`Trax: ${say("app.back")}`}>
        <span className="mark" aria-hidden="true" />
        <span className="word">Trax</span>
      </a>
      {children ?? <span className="fill" />}
      <PageSettings />
    </header>
  );
}

/** The page's language and colours. */
export function PageSettings() {
  const { say, tongue, choose } = useSpeech();
  return (
    <span className="page-settings">
      <select
        aria-label={say("app.language")}
        className="bare"
        value={tongue}
        onChange={(event) => choose(event.target.value as Tongue)}
      >
        {Object.entries(LANGUAGES).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <button
        type="button"
        className="icon"
        aria-label={say("app.theme")}
        title={say("app.theme")}
        onClick={toggleTheme}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <circle cx="12" cy="12" r="8" />
          <path className="full" d="M12 4a8 8 0 0 1 0 16z" />
        </svg>
      </button>
    </span>
  );
}
