/** An open transcript: where its parts meet. */

import { useCallback, useEffect, useRef, useState } from "react";
import type { Library } from "trax-client";
import type { SharedTranscript } from "trax-client/transcript";
import { drafted, nameOf, setDrafted, setPlaying, type TurnHead } from "../editor/model";
import { TooLong } from "../editor/TooLong";
import { explain } from "../errors";
import { useSay } from "../i18n";
import { later, laterDialog } from "../later";
import { type Player, SPEEDS, usePlayer } from "../listen/usePlayer";
import { Unsent } from "../start/Unsent";
import { FindBar } from "../take/FindBar";
import { useFinding } from "../take/useFinding";
import { firstFrom, spanOf, wordAt, wordSaidAt } from "../words/timing";
import { Announcer } from "./Announcer";
import { Empty } from "./Empty";
import { MeetingBar } from "./MeetingBar";
import { Recorder } from "./Recorder";
import { type Remark, RemarkBar } from "./RemarkBar";
import { SelectionBar } from "./SelectionBar";
import { SidePanel, type Tab } from "./SidePanel";
import { SpeakerMenu } from "./SpeakerMenu";
import { type Command, commandOf, wantsKeys } from "./shortcuts";
import { useShown } from "./shown";
import { type Editing, useEditor } from "./useEditor";
import { useRecording } from "./useRecording";
import { useShared } from "./useShared";
import { myName, type Opened } from "./useTranscript";

const PlayerBar = later(async () => (await import("../listen/PlayerBar")).PlayerBar);
const AgainDialog = laterDialog(async () => (await import("./AgainDialog")).AgainDialog);
const KeyHelp = laterDialog(async () => (await import("./KeyHelp")).KeyHelp);

const SKIP_MS = 5_000;
const NOTHING = { from: 0, to: 0 };

export function Meeting({
  transcript,
  role,
  library,
  error,
}: Opened & { library: Library; error: unknown }) {
  const say = useSay();
  const readOnly = role === "viewer";
  const author = myName() || say("speaker.unknown");
  const closed = useShared(transcript, "meta").state === "closed";
  const recording = useRecording(transcript.id);
  const length = useLength(library, transcript, recording.phase);
  const player = usePlayer(library, transcript.id, length);
  const [menu, setMenu] = useState<TurnHead | null>(null);
  const [selection, setSelection] = useState(NOTHING);
  const [help, setHelp] = useState(false);
  const [again, setAgain] = useState<{ startMs: number; endMs: number } | null>(null);
  /** The selection that was to be heard again, and has no time. */
  const [untimed, setUntimed] = useState<typeof NOTHING | null>(null);
  const [remark, setRemark] = useState<Remark | null>(null);
  const [tooLong, setTooLong] = useState(false);
  const [tab, setTab] = useState<Tab>("notes");
  const [shown, setShown] = useShown();
  const place = useRef<HTMLDivElement>(null);
  const load = useLoad(library, transcript.id);

  const hear = (position: number) => {
    const word = wordAt(editing.timed.current, position);
    if (word) player.seek(word.startMs, true);
  };
  const goTo = (position: number) => {
    const word = wordAt(editing.timed.current, position);
    if (word) player.seek(word.startMs);
  };
  // Who reads only, or listens already, needs no more than a click.
  const hears = shown.clicks || player.playing || readOnly;
  const editing: Editing = useEditor({
    place,
    transcript,
    library,
    readOnly,
    shown,
    chooseSpeaker: (turn) => !readOnly && setMenu(turn),
    onClick: (position, asked) => {
      const chooses = !editing.view.current?.state.selection.main.empty;
      if (chooses && !asked) return;
      if (asked || hears) hear(position);
      // Whoever presses play next hears it from there.
      else goTo(position);
    },
    hearTurn: (turn) => {
      // What is drawn may stand where the turn was before others grew.
      const { at } = editing.heads.current.find(({ id }) => id === turn.id) ?? turn;
      const first = editing.timed.current[firstFrom(editing.timed.current, at)];
      if (first) player.seek(first.startMs, true);
    },
    // The cursor alone moves with each key, and changes nothing that is drawn.
    onSelect: (from, to) =>
      setSelection((known) => {
        if (from === to) return NOTHING;
        return known.from === from && known.to === to ? known : { from, to };
      }),
    onChange: setTooLong,
  });
  const away = useAway();
  usePlayingWord(player, editing);
  const finding = useFinding(editing.view);

  const unselect = () => {
    const { current } = editing.view;
    // While it has the focus: without it, it leaves what the browser shows as selected.
    current?.focus();
    current?.dispatch({ selection: { anchor: current.state.selection.main.head } });
  };
  /** Begins to write about the selected words, or ends it. */
  const draft = (kind: Remark | null) => {
    setRemark(kind);
    editing.view.current?.dispatch({ effects: setDrafted.of(kind && selection) });
  };
  const send = (text: string) => {
    const { state } = editing.view.current ?? {};
    const words = state?.field(drafted);
    if (!state || !words) return false;
    // Where the words were deleted it is about the line that they stood in.
    const { from, to } = words.from < words.to ? words : state.doc.lineAt(words.from);
    if (from === to) return false;
    if (remark === "tag") transcript.tag(from, to, text, author);
    else transcript.comment(from, to, text, author);
    setTab("comments");
    return true;
  };
  const selected = () => spanOf(editing.timed.current, selection.from, selection.to);
  const skipTurn = (direction: -1 | 1) => {
    const starts = editing.heads.current.flatMap(
      ({ at }) => wordAt(editing.timed.current, at + 1)?.startMs ?? [],
    );
    const sorted = [...new Set(starts)].sort((a, b) => a - b);
    const now = player.now();
    const next =
      direction === 1
        ? sorted.find((start) => start > now + 300)
        : sorted.findLast((start) => start < now - 1_500);
    player.seek(next ?? (direction === 1 ? now : 0), player.playing);
  };
  const changeSpeed = (step: number) => {
    const at = (SPEEDS as readonly number[]).indexOf(player.speed);
    player.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + step))] ?? 1);
  };
  useKeys({
    play: player.toggle,
    back: () => player.seek(player.now() - SKIP_MS, player.playing),
    forward: () => player.seek(player.now() + SKIP_MS, player.playing),
    previousTurn: () => skipTurn(-1),
    nextTurn: () => skipTurn(1),
    slower: () => changeSpeed(-1),
    faster: () => changeSpeed(1),
    find: finding.open,
    help: () => setHelp(true),
    hear: () => hear(editing.view.current?.state.selection.main.from ?? 0),
  });

  return (
    <div className="meeting">
      <MeetingBar
        transcript={transcript}
        library={library}
        role={role}
        recording={recording}
        shown={shown}
        onShown={setShown}
        onFind={finding.toggle}
        onHelp={() => setHelp(true)}
        timed={() => editing.timed.current}
      />
      {error !== null && (
        <p role="alert" className="problem">
          {explain(error, say)}
        </p>
      )}
      <div className="columns">
        <main className="paper">
          {finding.active && <FindBar transcript={transcript} finding={finding} />}
          <Unsent
            transcript={transcript.id}
            later={recording.phase !== "off" || recording.outgoing !== null}
            lost={recording.lost}
          />
          {readOnly && <p className="read-only">{say("meeting.readOnly")}</p>}
          {tooLong && <TooLong />}
          {untimed === selection && (
            <p role="status" className="problem">
              {say("again.noTime")}
            </p>
          )}
          <Empty
            transcript={transcript}
            library={library}
            phase={recording.phase}
            open={!readOnly && !closed}
          />
          <div
            className={hears && player.lengthMs > 0 ? "text hears" : "text"}
            title={hears && player.lengthMs > 0 ? say("listen.clicksNow") : undefined}
            ref={place}
          />
          {remark !== null && <RemarkBar kind={remark} onSend={send} onClose={() => draft(null)} />}
          {remark === null && !away && selection.from < selection.to && (
            <SelectionBar
              transcript={transcript}
              from={selection.from}
              to={selection.to}
              readOnly={readOnly}
              onPlay={() => hear(selection.from)}
              onAgain={() => {
                const span = selected();
                setUntimed(span === null ? selection : null);
                setAgain(span);
              }}
              onWrite={draft}
              onClose={unselect}
            />
          )}
        </main>
        <SidePanel
          transcript={transcript}
          readOnly={readOnly}
          author={author}
          tab={tab}
          onTab={setTab}
          show={finding.show}
        />
      </div>
      <footer className="dock">
        {/* Above the microphone, which so stays where it is when there is something to play. */}
        {player.lengthMs > 0 && (
          <PlayerBar
            player={player}
            skipTurn={skipTurn}
            load={load}
            live={recording.phase !== "off"}
            clicks={readOnly ? null : shown.clicks}
            onClicks={(clicks) => setShown({ clicks })}
          />
        )}
        {!readOnly && <Recorder recording={recording} closed={closed} />}
      </footer>
      {shown.aloud && <Announcer transcript={transcript} />}
      {menu && (
        <SpeakerMenu
          key={menu.id}
          transcript={transcript}
          turn={menu}
          anchor={() => editing.view.current && nameOf(menu, editing.view.current)}
          onClose={() => setMenu(null)}
        />
      )}
      {help && <KeyHelp onClose={() => setHelp(false)} />}
      {again && (
        <AgainDialog
          transcript={transcript}
          library={library}
          span={again}
          onClose={() => setAgain(null)}
        />
      )}
    </div>
  );
}

/** Whether one went from the text to something else: to search, to the notes, to a menu. */
function useAway(): boolean {
  const [away, setAway] = useState(false);
  useEffect(() => {
    const look = ({ target }: FocusEvent) =>
      setAway(target instanceof Element && !target.closest(".text, .selection-bar, dialog"));
    document.addEventListener("focusin", look);
    return () => document.removeEventListener("focusin", look);
  }, []);
  return away;
}

function useLoad(library: Library, id: string) {
  return useCallback(
    (fromMs: number, toMs: number) => library.audio(id, { fromMs, toMs }),
    [library, id],
  );
}

/** How much is recorded; asked more often while somebody speaks. */
function useLength(library: Library, transcript: SharedTranscript, phase: string): number {
  const { id } = transcript;
  const [length, setLength] = useState(0);
  useEffect(() => {
    const ask = () =>
      void library.get(id).then(
        ({ durationMs }) => setLength(durationMs),
        () => undefined, // said by the status line
      );
    ask();
    let ticks = 0;
    const timer = setInterval(() => {
      const speaks = phase !== "off" || transcript.partials.length > 0;
      if (speaks || ++ticks % 6 === 0) ask();
    }, 5_000);
    return () => clearInterval(timer);
  }, [library, id, phase, transcript]);
  return length;
}

/** Marks the word that is heard. */
function usePlayingWord(player: Player, editing: Editing): void {
  const { playing, now } = player;
  const { view, timed } = editing;
  useEffect(() => {
    if (!playing) return;
    let frame = 0;
    let shown = -1;
    const follow = () => {
      const word = wordSaidAt(timed.current, now());
      if (word && word.from !== shown) {
        shown = word.from;
        view.current?.dispatch({ effects: setPlaying.of(word) });
      }
      frame = requestAnimationFrame(follow);
    };
    follow();
    const editor = view.current;
    return () => {
      cancelAnimationFrame(frame);
      editor?.dispatch({ effects: setPlaying.of(null) });
    };
  }, [playing, now, view, timed]);
}

function useKeys(commands: Record<Command, () => void>): void {
  const latest = useRef(commands);
  latest.current = commands;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (document.querySelector("dialog[open]")) return;
      if (event.key === "Escape" && event.target instanceof HTMLElement) event.target.blur();
      const command = commandOf(event, wantsKeys(event.target));
      if (command === null) return;
      event.preventDefault();
      latest.current[command]();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}
