"""What a shared transcript says: the values that `trax_client.transcript` reads and tells.

Positions are code points of `text`, half open: `text[start:end]`. They hold until the next change.
The rules are those of `clients/PROTOCOL.md`, section 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

LONGEST_NAME = 200
"""Characters of a name that are shown."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of the text whose characters share their attributes.

    Attributes:
        start: Where it begins.
        text: Never empty.
        segment: The machine's words that were written here, as `"PASS:FIRST:END"`; `None` where
            people typed outside of them.
        highlight: A colour, where a person highlighted the text.
        turn: Set on a newline that begins a turn.
    """

    start: int
    text: str
    segment: str | None = None
    highlight: str | None = None
    turn: str | None = None

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker said in one go, as it stands in the document now.

    Attributes:
        id: `None` for text before the first turn.
        start: Where its text begins, after the newline that begins the turn.
        speaker: Id of the speaker, or `None` while nobody knows.
        name: What people see for it: the speaker's name, else the id, else nothing.
        runs: The turn's text. Newlines in it are people's.
    """

    id: str | None
    start: int
    speaker: str | None
    name: str
    runs: tuple[Run, ...]

    @property
    def text(self) -> str:
        """What the turn says."""
        return "".join(run.text for run in self.runs)

    @property
    def end(self) -> int:
        """Where its text ends."""
        return self.runs[-1].end if self.runs else self.start


@dataclass(frozen=True, slots=True)
class TranscriptSpeaker:
    """A voice, with the name and colour that people, or else the server, gave it.

    Attributes:
        name: May be empty.
        named: Whether people gave it the name.
    """

    id: str
    name: str
    colour: str | None
    named: bool = False


@dataclass(frozen=True, slots=True)
class Saying:
    """What is being said now, and is not final yet.

    Attributes:
        session: Whose microphone.
        start_ms: On the transcript's clock, as is `end_ms`.
        speaker: Id of the speaker, or `None`.
        name: As in `Turn`.
    """

    session: str
    text: str
    start_ms: int
    end_ms: int
    speaker: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody else who has the transcript open and shows it."""

    client: int
    name: str
    colour: str | None


class SuggestionKind(StrEnum):
    """What accepting a suggestion does."""

    REPLACE = "replace"
    INSERT = "insert"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the server heard at one place, after people had edited there.

    Attributes:
        id: By which it is accepted or dismissed.
        kind: What accepting it does.
        text: What stands there, as people wrote it; with the space before it, as `alternative`.
        alternative: What was heard.
        before: What stands before it in its turn.
        after: What stands after it.
        words: Which words of passes it is about, as `"PASS.WORD"`.
        start_ms: When it was said, on the transcript's clock.
        end_ms: Until when.
    """

    id: str
    kind: SuggestionKind
    text: str
    alternative: str
    before: str
    after: str
    words: tuple[str, ...]
    start_ms: int
    end_ms: int


class Part(IntEnum):
    """A part of a transcript that changes by itself, in the order in which changes are told."""

    TITLE = 0
    SPEAKERS = 1
    TURNS = 2
    NOTES = 3
    PEOPLE = 4
    PARTIALS = 5
    SUGGESTIONS = 6


@dataclass(frozen=True, slots=True)
class TurnsChanged:
    """Text, turns, highlights or who speaks changed; these are all of the turns now."""

    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class SpeakersChanged:
    """A name or a colour changed; these are all of the speakers now."""

    speakers: tuple[TranscriptSpeaker, ...]


@dataclass(frozen=True, slots=True)
class PartialsChanged:
    """What is being said changed; this is all of it."""

    partials: tuple[Saying, ...]


@dataclass(frozen=True, slots=True)
class NotesChanged:
    """The meeting notes changed."""

    notes: str


@dataclass(frozen=True, slots=True)
class TitleChanged:
    """The title changed."""

    title: str


@dataclass(frozen=True, slots=True)
class PeopleChanged:
    """Somebody came, left, or shows another name."""

    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class SuggestionsChanged:
    """The server suggests something else, or somebody decided; these are all that are left."""

    suggestions: tuple[Suggestion, ...]


Change = (
    TurnsChanged
    | SpeakersChanged
    | PartialsChanged
    | NotesChanged
    | TitleChanged
    | PeopleChanged
    | SuggestionsChanged
)


def as_runs(stretches: Iterable[tuple[object, Mapping[str, object] | None]]) -> Iterator[Run]:
    """Yield the runs of a text that Yjs gives as stretches with attributes.

    What is typed after the newline of a turn may bear its attribute too, and means nothing there.
    """
    start = 0
    for text, attributes in stretches:
        if not isinstance(text, str):
            continue  # an embed, which has no place here
        known = attributes or {}
        segment, highlight = _text(known.get("g")), _text(known.get("hl"))
        turn = _text(known.get("t")) if text.startswith("\n") else None
        if turn is not None:
            yield Run(start, "\n", turn=turn)
        rest = text if turn is None else text[1:]
        if rest:
            yield Run(start + len(text) - len(rest), rest, segment, highlight)
        start += len(text)


def as_turns(
    runs: Iterable[Run], turn_speakers: Mapping[str, str], names: Mapping[str, str]
) -> tuple[Turn, ...]:
    """Group runs into turns; an empty one before the first turn is left out.

    Args:
        runs: The text from its start.
        turn_speakers: Turn ids to speaker ids.
        names: Speaker ids to names.
    """
    begun: list[tuple[str | None, int, list[Run]]] = [(None, 0, [])]
    for run in runs:
        if run.turn is None:
            begun[-1][2].append(run)
        else:
            begun.append((run.turn, run.end, []))
    turns = []
    for turn, start, inside in begun:
        speaker = None if turn is None else turn_speakers.get(turn)
        if turn is not None or inside:
            turns.append(Turn(turn, start, speaker, name_of(speaker, names), tuple(inside)))
    return tuple(turns)


def merged(chosen: Mapping[str, object]) -> dict[str, str]:
    """Return who those speakers are in the end of whom people say that they are another one.

    Of a circle, which two people may make at once, the smallest id is who all of them are.
    """
    same = {speaker: _text(_map(fields).get("same")) for speaker, fields in chosen.items()}
    ends: dict[str, str] = {}
    for speaker in same:
        met: dict[str, None] = {}
        at = speaker
        while at not in ends and at not in met:
            met[at] = None
            at = same.get(at) or at
        way = list(met)
        end = ends[at] if at in ends else min(way[way.index(at) :], key=_code_units)
        ends.update(dict.fromkeys(way, end))
    return {speaker: end for speaker, end in ends.items() if end != speaker}


def as_speakers(
    proposed: Mapping[str, object], chosen: Mapping[str, object]
) -> tuple[TranscriptSpeaker, ...]:
    """Return every speaker who is no other one; people win, for name and colour each for itself."""
    speakers, others = [], merged(chosen)
    for speaker in dict.fromkeys([*proposed, *chosen]):
        if speaker in others:
            continue
        fields = [_map(register.get(speaker)) for register in (chosen, proposed)]
        names = [_text(each.get("name")) for each in fields]
        colours = [_text(each.get("colour")) for each in fields]
        name, colour = names[0] or names[1] or "", colours[0] or colours[1]
        named = bool(names[0])
        speakers.append(TranscriptSpeaker(speaker, name[:LONGEST_NAME], colour, named))
    return tuple(speakers)


def listed(
    speakers: Iterable[TranscriptSpeaker], turns: Iterable[Turn]
) -> tuple[TranscriptSpeaker, ...]:
    """Return whom to have people choose among: who has a turn, or a name that people gave.

    The server may have heard voices live of which the accurate pass has left none.
    """
    speaking = {turn.speaker for turn in turns}
    return tuple(each for each in speakers if each.named or each.id in speaking)


def as_sayings(
    state: Mapping[str, object], names: Mapping[str, str], same: Mapping[str, str]
) -> Iterator[Saying]:
    """Yield what the server's own presence state says is being said.

    Args:
        state: The server's.
        names: Speaker ids to names.
        same: Who speakers are who are other ones: `merged`.
    """
    for session, said in _map(_map(state.get("trax")).get("partials")).items():
        match said:
            case {"text": str(text), "start_ms": int(start_ms), "end_ms": int(end_ms)}:
                speaker = _text(_map(said).get("speaker"))
                speaker = None if speaker is None else same.get(speaker, speaker)
                name = name_of(speaker, names)
                yield Saying(session, text, start_ms, end_ms, speaker, name)


def as_person(client: int, state: Mapping[str, object]) -> Person | None:
    """Return who shows this presence state, by the convention of Yjs editors: a map `user`."""
    user = _map(state.get("user"))
    name = _text(user.get("name"))
    return None if name is None else Person(client, name[:LONGEST_NAME], _text(user.get("color")))


def name_of(speaker: str | None, names: Mapping[str, str]) -> str:
    """Return what people see for a speaker."""
    return "" if speaker is None else names.get(speaker) or speaker


def as_turn_speakers(
    proposed: Mapping[str, object], chosen: Mapping[str, object], speakers: Mapping[str, object]
) -> dict[str, str]:
    """Return who speaks in which turn; whatever else an editor wrote there is left out.

    Args:
        proposed: By the server, turn ids to speaker ids.
        chosen: By people, likewise.
        speakers: What people say of speakers.
    """
    same, said_by = merged(speakers), [*proposed.items(), *chosen.items()]
    return {turn: same.get(each, each) for turn, each in said_by if isinstance(each, str)}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _map(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _code_units(name: str) -> bytes:
    """Return what ids are sorted by in JavaScript."""
    return name.encode("utf-16-be", "surrogatepass")
