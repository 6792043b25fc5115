/** Opens a transcript for as long as its page is shown. */

import { useEffect, useState } from "react";
import { Unauthorized } from "trax-client";
import { openTranscript, type SharedTranscript } from "trax-client/transcript";
import { confirmToken, dropToken, keepToken, type Role, roleIn, SERVER, tokenFor } from "../server";
import { ownColour } from "./colours";

export interface Opened {
  readonly transcript: SharedTranscript;
  readonly role: Role;
}

const NAME = "trax.name";
export const myName = () => localStorage.getItem(NAME) ?? "";
export const keepName = (name: string) => localStorage.setItem(NAME, name);

/** Shows us to others, in a colour of our own; without a `name` as we are called already. */
export function showUs(transcript: SharedTranscript, name?: string): void {
  const { people, awareness } = transcript;
  const shown = awareness.getLocalState()?.user as { name?: string; color?: string } | undefined;
  const called = name ?? shown?.name;
  if (called === undefined) return; // who leaves is not to be shown again
  const colour = ownColour(people, awareness.clientID, shown?.color);
  if (called !== shown?.name || colour !== shown.color) transcript.show({ name: called, colour });
}

export function useTranscript(id: string, onRefused: () => void) {
  const [opened, setOpened] = useState<Opened | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let gone = false;
    let transcript: SharedTranscript | null = null;
    const fail = (caught: unknown) => {
      if (gone) return;
      if (caught instanceof Unauthorized) {
        if (dropToken(id)) return location.reload();
        onRefused();
      }
      setError(caught);
    };
    const opening = openTranscript(SERVER, id, { token: tokenFor(id) });
    // The server may be away while the browser's own copy can be edited: it refuses what is not ours.
    Promise.all([opening, roleIn(id).catch(() => null)]).then(([open, told]) => {
      if (gone) return void open.close();
      const role = told ?? (open.readOnly ? "viewer" : "editor");
      transcript = open;
      if (told !== null) confirmToken(id);
      // The server's own token came with a transcript's address: it opens the others too.
      if (role === "owner") keepToken(tokenFor(id) ?? "");
      showUs(open, myName() || "…");
      open.on("people", () => showUs(open));
      open.on("error", fail);
      if (open.failure !== null) fail(open.failure);
      open.on("denied", () => setOpened({ transcript: open, role: "viewer" }));
      setOpened({ transcript: open, role });
    }, fail);
    return () => {
      gone = true;
      void transcript?.close();
    };
  }, [id, onRefused]);
  return { opened, error };
}
