/** Speech that this browser keeps, if any: what deals with it is fetched only then. */

import { useEffect, useState } from "react";
import { keepsSessions } from "trax-client";
import { later as fetchedLater } from "../later";
import { fetchSpeech } from "../meeting/fetchSpeech";
import type { UnsentProps } from "./UnsentSpeech";

const UnsentSpeech = fetchedLater(async () => (await fetchSpeech()).UnsentSpeech);

export function Unsent({ transcript = null, later = false, lost = [] }: Partial<UnsentProps>) {
  const [kept, setKept] = useState(false);
  useEffect(() => {
    if (later) return;
    let gone = false;
    void keepsSessions().then((keeps) => !gone && setKept(keeps));
    return () => {
      gone = true;
    };
  }, [later]);
  if (!kept && lost.length === 0) return null;
  return <UnsentSpeech transcript={transcript} later={later} lost={lost} />;
}
