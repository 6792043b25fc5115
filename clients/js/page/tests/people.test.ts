/** How we are shown to others. */

import type { SharedTranscript } from "trax-client/transcript";
import { expect, test, vi } from "vitest";

vi.stubGlobal("document", { baseURI: "http://server/", documentElement: { style: {} } });
const { showUs } = await import("../src/meeting/useTranscript");

/** A transcript that others have open, and that keeps what we show. */
function opened() {
  let state: object | null = {};
  const transcript = {
    people: [] as object[],
    awareness: { clientID: 5, getLocalState: () => state },
    show: vi.fn(({ name, colour }) => {
      state = { user: { name, color: colour } };
    }),
  };
  const leave = () => {
    state = null;
  };
  const show = (name?: string) => {
    showUs(transcript as unknown as SharedTranscript, name);
    return transcript.show.mock.lastCall?.[0];
  };
  return { transcript, show, leave };
}

test("our colour stays with another name, and gives way to whoever had it before", () => {
  const { transcript, show } = opened();
  transcript.people = [{ client: 9, name: "Bob", colour: "voice-0" }];
  expect(show("Ada")).toEqual({ name: "Ada", colour: "voice-1" });
  expect(show("Adele")).toEqual({ name: "Adele", colour: "voice-1" });
  transcript.people.push({ client: 3, name: "Eve", colour: "voice-1" });
  expect(show()).toEqual({ name: "Adele", colour: "voice-2" });
  expect(transcript.show).toHaveBeenCalledTimes(3);
  show();
  expect(transcript.show).toHaveBeenCalledTimes(3);
});

test("who has left is not shown again", () => {
  const { transcript, show, leave } = opened();
  show("Ada");
  leave();
  show();
  expect(transcript.show).toHaveBeenCalledTimes(1);
});
