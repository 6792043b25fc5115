/** Who speaks here: name them, say that two are one, or that somebody else said this turn. */

import { type FormEvent, useState } from "react";
import type { SharedTranscript } from "trax-client/transcript";
import type { TurnHead } from "../editor/model";
import { useSay } from "../i18n";
import { Popover } from "../Popover";
import { nextColour, VOICE_COLOURS } from "./colours";
import { useShared } from "./useShared";

interface Props {
  readonly transcript: SharedTranscript;
  readonly turn: TurnHead;
  readonly anchor: HTMLElement;
  readonly onClose: () => void;
}

export function SpeakerMenu({ transcript, turn, anchor, onClose }: Props) {
  const say = useSay();
  const speakers = useShared(transcript, "speakers");
  const speaker = turn.speaker;
  const known = speakers.find(({ id }) => id === speaker);
  const [name, setName] = useState(known?.name ?? "");
  const others = speakers.filter(({ id }) => id !== speaker);
  const merged = transcript.merged.filter(({ same }) => same === speaker);
  const called = (each: { id: string; name: string }) => each.name || each.id;

  function rename(event: FormEvent) {
    event.preventDefault();
    if (speaker !== null && name.trim()) transcript.nameSpeaker(speaker, { name: name.trim() });
    if (speaker === null && turn.id !== null && name.trim()) assign(name.trim());
    onClose();
  }

  /** A speaker whom no machine knows begins with this turn. */
  function assign(newName: string) {
    transcript.edit(() => {
      const made = transcript.addSpeaker({ name: newName, colour: nextColour(speakers) });
      if (turn.id !== null) transcript.chooseSpeaker(turn.id, made);
    });
  }

  return (
    <Popover
      anchor={anchor}
      label={say("speaker.edit", { name: turn.name, time: turn.time })}
      onClose={onClose}
    >
      <form onSubmit={rename}>
        <label>
          {say("speaker.rename")}
          <input
            // biome-ignore lint/a11y/noAutofocus: the menu was opened to type a name
            autoFocus
            value={name}
            maxLength={200}
            onChange={(event) => setName(event.target.value)}
            onFocus={(event) => event.target.select()}
          />
        </label>
        <button type="submit" className="primary">
          {say("app.save")}
        </button>
      </form>
      {speaker !== null && (
        <fieldset className="swatches">
          <legend>{say("speaker.colour")}</legend>
          {VOICE_COLOURS.map((name, number) => (
            <button
              key={name}
              type="button"
              className={`swatch voice-${number}`}
              aria-label={say(`colour.${name}`)}
              aria-pressed={number === turn.colour}
              onClick={() => {
                transcript.nameSpeaker(speaker, { colour: `voice-${number}` });
                onClose();
              }}
            />
          ))}
        </fieldset>
      )}
      {turn.id !== null && (
        <label>
          {say("speaker.turn")}
          <select
            value={speaker ?? ""}
            onChange={(event) => {
              const chosen = event.target.value;
              if (chosen === "+") assign(`${say("speaker.unknown")} ${speakers.length + 1}`);
              else if (chosen && turn.id !== null) transcript.chooseSpeaker(turn.id, chosen);
              onClose();
            }}
          >
            {speaker === null && <option value="">–</option>}
            {speakers.map((each) => (
              <option key={each.id} value={each.id}>
                {called(each)}
              </option>
            ))}
            <option value="+">{say("speaker.new")}</option>
          </select>
        </label>
      )}
      {speaker !== null && others.length > 0 && (
        <label>
          {say("speaker.merge")}
          <select
            value=""
            onChange={(event) => {
              if (event.target.value) transcript.mergeSpeakers(speaker, event.target.value);
              onClose();
            }}
          >
            <option value="">–</option>
            {others.map((each) => (
              <option key={each.id} value={each.id}>
                {called(each)}
              </option>
            ))}
          </select>
        </label>
      )}
      {merged.map((each) => (
        <button key={each.id} type="button" onClick={() => transcript.mergeSpeakers(each.id, null)}>
          {say("speaker.part", { name: called(each) })}
        </button>
      ))}
    </Popover>
  );
}
