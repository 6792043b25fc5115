/** Says that something was too long to be inserted at once. */

import { useSpeech } from "../i18n";
import { MOST_AT_ONCE } from "./bound";

export function TooLong() {
  const { say, tongue } = useSpeech();
  const most = MOST_AT_ONCE.toLocaleString(tongue);
  return (
    <p role="alert" className="problem">
      {say("editor.tooLong", { most })}
    </p>
  );
}
