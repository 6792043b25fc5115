/** Tells screen readers what was said, once it is final, and never in the midst of something. */

import { useEffect, useState } from "react";
import type { SharedTranscript } from "trax-client/transcript";
import type * as Y from "yjs";

/** New words are told together when none came for so long. */
const PAUSE_MS = 1_200;

export function Announcer({ transcript }: { transcript: SharedTranscript }) {
  const [told, setTold] = useState("");
  useEffect(() => {
    let fresh = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hear = ({ delta }: Y.YTextEvent, { local }: Y.Transaction) => {
      if (local) return;
      for (const { insert, attributes } of delta) {
        // Words of machines bear the segment that they are of.
        if (typeof insert === "string" && attributes?.g) fresh += insert;
      }
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (fresh.trim()) setTold(fresh.trim());
        fresh = "";
      }, PAUSE_MS);
    };
    transcript.text.observe(hear);
    return () => {
      transcript.text.unobserve(hear);
      clearTimeout(timer);
    };
  }, [transcript]);
  return (
    <div className="unseen" aria-live="polite">
      {told}
    </div>
  );
}
