/** Who speaks here: name them, say that two are one, or that somebody else said this turn. */

import { type FormEvent, useCallback, useEffect, useState } from "react";
import type { SharedTranscript, Turn } from "trax-client/transcript";
import type { TurnHead } from "../editor/model";
import { useSay } from "../i18n";
import { Popover } from "../Popover";
import { nameIn } from "../speakers";
import { colours, nextColour, VOICE_COLOURS } from "./colours";
import { useShared } from "./useShared";
import { unite, useListed } from "./voices";

interface Props {
  readonly transcript: SharedTranscript;
  readonly turn: TurnHead;
  readonly anchor: () => Element | null;
  readonly onClose: () => void;
}

export function SpeakerMenu(props: Props) {
  const { transcript, turn, onClose } = props;
  const speaker = useSpeakerOf(transcript, turn.id);
  useEffect(() => {
    if (speaker === undefined) onClose();
  }, [speaker, onClose]);
  return speaker !== undefined && <Menu {...props} speaker={speaker} />;
}

/** Who speaks in a turn, also when that changes; `undefined` once there is no such turn. */
function useSpeakerOf(transcript: SharedTranscript, turn: string | null) {
  const speakerIn = useCallback(
    (turns: readonly Turn[]) => turns.find(({ id }) => id === turn)?.speaker,
    [turn],
  );
  const alike = useCallback(
    (some: readonly Turn[], others: readonly Turn[]) => speakerIn(some) === speakerIn(others),
    [speakerIn],
  );
  return speakerIn(useShared(transcript, "turns", alike));
}

function Menu({ transcript, turn, speaker, anchor, onClose }: Props & { speaker: string | null }) {
  const say = useSay();
  const speakers = useShared(transcript, "speakers");
  const known = speakers.find(({ id }) => id === speaker);
  /** A name, for who spoke here when it was begun. */
  const [typed, setTyped] = useState<{ speaker: string | null; name: string } | null>(null);
  const colourOf = colours(speakers);
  const chosenFrom = useListed(transcript);
  const others = chosenFrom.filter(({ id }) => id !== speaker);
  const merged = transcript.merged.filter(({ same }) => same === speaker);
  const called = (each: { id: string; name: string }) => nameIn(each.name, say) || each.id;
  const nameShown = known ? called(known) : say("speaker.unknown");

  /** Keeps the name that was typed: only Escape drops it. */
  function leave() {
    const name = typed?.name.trim();
    if (typed && name) {
      if (typed.speaker === null) assign(name);
      else transcript.nameSpeaker(typed.speaker, { name });
    }
    onClose();
  }

  function rename(event: FormEvent) {
    event.preventDefault();
    leave();
  }

  function choose(chosen: string) {
    // What people wrote in front of all turns becomes one.
    if (turn.id === null) transcript.splitTurn(0, chosen);
    else transcript.chooseSpeaker(turn.id, chosen);
  }

  /** A speaker whom no machine knows begins with this turn. */
  function assign(newName: string) {
    transcript.edit(() => {
      const made = transcript.addSpeaker({ name: newName, colour: nextColour(speakers) });
      choose(made);
    });
  }

  function part(other: string) {
    transcript.mergeSpeakers(other, null);
    setTyped(null); // whose name that was is open again
  }

  return (
    <Popover
      anchor={anchor}
      label={say("speaker.edit", { name: nameShown, time: turn.time })}
      onClose={leave}
      onCancel={onClose}
    >
      <form onSubmit={rename}>
        <label>
          {say("speaker.rename")}
          <input
            // biome-ignore lint/a11y/noAutofocus: the menu was opened to type a name
            autoFocus
            value={typed?.name ?? nameIn(known?.name ?? "", say)}
            maxLength={200}
            onChange={({ target }) =>
              setTyped({ speaker: typed ? typed.speaker : speaker, name: target.value })
            }
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
              aria-pressed={number === colourOf(speaker)}
              onClick={() => {
                transcript.nameSpeaker(speaker, { colour: `voice-${number}` });
                leave();
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
              else if (chosen) choose(chosen);
              onClose();
            }}
          >
            {speaker === null && <option value="">–</option>}
            {chosenFrom.map((each) => (
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
              if (event.target.value) unite(transcript, speaker, event.target.value);
              leave();
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
        <button key={each.id} type="button" onClick={() => part(each.id)}>
          {say("speaker.part", { name: called(each) })}
        </button>
      ))}
    </Popover>
  );
}
