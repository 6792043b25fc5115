/** What stands above everything: where one is, theme and language. */

import type { ReactNode } from "react";
import { LANGUAGES, type Tongue, useSpeech } from "./i18n";
import { toggleTheme } from "./theme";

export function TopBar({ children }: { children?: ReactNode }) {
  const { say, tongue, choose } = useSpeech();
  return (
    <header className="topbar">
      <a className="brand" href="#/" aria-label={`Trax: ${say("app.back")}`}>
        <span className="mark" aria-hidden="true" />
        Trax
      </a>
      {children ?? <span className="fill" />}
      <select
        aria-label={say("app.language")}
        className="tongue"
        value={tongue}
        onChange={(event) => choose(event.target.value as Tongue)}
      >
        {Object.entries(LANGUAGES).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <button type="button" className="icon" aria-label={say("app.theme")} onClick={toggleTheme}>
        <span aria-hidden="true">◐</span>
      </button>
    </header>
  );
}
