/** The languages that one can choose from, by their names in the page's language. */

import { useSpeech } from "../i18n";
import { SPOKEN } from "./wishes";

export function LanguageOptions() {
  const { tongue } = useSpeech();
  const names = new Intl.DisplayNames(tongue, { type: "language" });
  return SPOKEN.map((code) => (
    <option key={code} value={code}>
      {names.of(code)}
    </option>
  ));
}
