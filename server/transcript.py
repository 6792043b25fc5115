"""The shared document of one transcript: its schema, and the only module that knows pycrdt.

    root                      type    content
    text                      Text    what is said: one flat text, see below
    turns, hturns             Map     turn id -> speaker id, as a machine or a person says
    mspeakers, speakers       Map     speaker id -> {"name", "colour", "same"}, likewise
    sug, sugd                 Map     suggestions of the accurate pass, and what people decided
    comments, tags            Map     of people, anchored by their browsers
    notes                     Text    meeting notes, Markdown
    meta                      Map     "schema", "title", "language", "state"

In `text` a machine writes segments, each with the attribute `g` (`offline.domain.Segment`), and
begins a turn by a newline with the attribute `t`, its id. People just type: what they type bears
the attributes of what stands before it. Nothing is ever moved, so nothing typed meanwhile is lost.
Where people and machines say different things of one turn or speaker, people win.

Offsets in pycrdt's `Text` are UTF-8 bytes, in everything of ours code points; `_Bytes` converts.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar, assert_never
from weakref import WeakMethod, finalize

from pycrdt import Assoc, Doc, Map, Text, TransactionEvent

from offline.domain import Run, Speaker, SpeakerId, Turn, TurnId, split_turns
from offline.edits import (
    AssignTurn,
    Delete,
    DropTurn,
    Edit,
    InsertText,
    InsertTurn,
    Suggest,
    Withdraw,
    WithdrawName,
    disjoint,
)
from offline.suggestions import Choice, Suggestion
from server.authorship import Authorship
from server.errors import TranscriptError
from server.mirror import Delta, Mirror
from server.registers import DROPPED, assignments, choices, dropped, merged, speakers, suggestions
from server.schema import SCHEMA, Step
from server.yjs.structs import Id
from server.yjs.updates import decode_state_vector
from server.yjs.varints import write_varuint

T = TypeVar("T")

_TEXTS = ("text", "notes")
_MAPS = ("turns", "hturns", "mspeakers", "speakers", "sug", "sugd", "comments", "tags", "meta")
ROOTS = frozenset((*_TEXTS, *_MAPS))


def make_client_id() -> int:
    """Return a random Yjs client id; 32 bits, as Yjs makes them."""
    return secrets.randbits(32)


class Transcript:
    """One replica of the document; owned by its room, used in one thread."""

    def __init__(self, client_id: int, updates: Iterable[bytes] = ()) -> None:
        """Make a replica that writes as `client_id`.

        Args:
            client_id: Never used by a replica before: `make_client_id`.
            updates: What there is of the document, in order; nothing for a new one.

        Raises:
            TranscriptError: They are no updates.
        """
        self.client_id = client_id
        self._doc: Doc[Any] = Doc(client_id=client_id)
        self._texts = {name: self._doc.get(name, type=Text) for name in _TEXTS}
        self._maps = {name: self._doc.get(name, type=Map) for name in _MAPS}
        self._text = self._texts["text"]
        self._fresh: list[bytes] = []
        self._said: str | None = None
        self._writing = False
        self._followers: list[Callable[[Delta, bool], None]] = []
        self._turns = _Kept(self._maps["turns"], _assigned_and_dropped)
        self._chosen_speakers = _Kept(self._maps["hturns"], _assigned)
        self._merged = _Kept(self._maps["speakers"], lambda chosen: merged(dict(chosen.items())))
        self._suggestions = _Kept(self._maps["sug"], lambda sug: suggestions(dict(sug.items())))
        self._choices = _Kept(self._maps["sugd"], lambda sugd: choices(dict(sugd.items())))
        try:
            with self._doc.transaction():
                for update in updates:
                    self._doc.apply_update(update)
        except Exception as error:  # pycrdt raises bare ones
            raise TranscriptError("a stored update of the document cannot be read") from error
        _observe(self._doc, self, self._note)

    # Reading

    @property
    def text(self) -> str:
        """The whole text; read once after each change."""
        if self._said is None:
            self._said = str(self._text)
        return self._said

    @property
    def notes(self) -> str:
        """The meeting notes, Markdown."""
        return str(self._texts["notes"])

    def runs(self) -> list[Run]:
        """Return the text in stretches of equal attributes.

        Takes 4 ms for 27,000 words in 3,600 stretches.
        """
        return self._copy().runs

    def mirror(self) -> Mirror:
        """Return the text in a form that is kept up to date from now on, at a cost for each change.

        Belongs to this replica, and is used in the same thread.
        """
        mirror = self._copy()
        self._follow(lambda delta, _ours: mirror.change(delta))
        return mirror

    def authorship(self, clients: Collection[int]) -> Authorship:
        """Return what of the text some clients wrote, in a form that is kept up to date.

        What this replica writes counts as theirs, and what it takes in from now on as others'.
        Takes 15 ms for three hours of speech. Belongs to this replica, and is used in its thread.
        """
        others = {client: n for client, n in self.state().items() if client not in clients}
        deltas: list[Delta] = []
        apart: Doc[Any] = Doc()
        text = apart.get("text", type=Text)
        apart.apply_update(self.update_since())
        subscription = text.observe(lambda event: deltas.append(event.delta))
        apart.apply_update(_deletion(others))
        text.unobserve(subscription)
        found = Authorship(deltas[0] if deltas else (), len(self._text))
        self._follow(lambda delta, ours: found.change(delta, theirs=ours))
        return found

    def turns(self) -> list[Turn]:
        """Return the turns, with the speakers that people see."""
        return split_turns(self.runs(), self.turn_speakers())

    def machine_speakers(self) -> dict[TurnId, SpeakerId]:
        """Return who speaks in each turn as machines say."""
        return dict(self._turns.get()[0])

    def dropped_turns(self) -> frozenset[TurnId]:
        """Return the turns whose beginnings machines took away."""
        return self._turns.get()[1]

    def chosen_speakers(self) -> dict[TurnId, SpeakerId]:
        """Return who speaks in the turns of which people have said so."""
        return dict(self._chosen_speakers.get())

    def turn_speakers(self) -> dict[TurnId, SpeakerId]:
        """Return who speaks in each turn, all in all."""
        said_by, merged = self.machine_speakers() | self.chosen_speakers(), self._merged.get()
        return {turn: merged.get(speaker, speaker) for turn, speaker in said_by.items()}

    def known_speakers(self) -> set[SpeakerId]:
        """Return the speakers to whom people gave a name, or of whom they say who they are."""
        named = speakers(dict(self._maps["speakers"].items()))
        return {
            speaker.id for speaker in named.values() if speaker.name
        } | self._merged.get().keys()

    def has_speaker(self, speaker: SpeakerId) -> bool:
        """Return whether anything is said of a speaker, also of one who is another one."""
        return speaker in self._maps["mspeakers"] or speaker in self._maps["speakers"]

    def speakers(self) -> dict[SpeakerId, Speaker]:
        """Return every speaker with the name that people see, `s2` before `s10`.

        Who is another one, as people say, is left out.
        """
        named = speakers(dict(self._maps["mspeakers"].items()))
        for chosen in speakers(dict(self._maps["speakers"].items())).values():
            proposed = named.get(chosen.id)
            if proposed is not None:
                name, colour = chosen.name or proposed.name, chosen.colour or proposed.colour
                named[chosen.id] = Speaker(chosen.id, name, colour)
            else:
                named[chosen.id] = chosen
        shown = named.keys() - self._merged.get()
        return {each: named[each] for each in sorted(shown, key=lambda each: (len(each), each))}

    def suggestions(self) -> dict[str, Suggestion]:
        """Return what people are shown that passes heard where they had edited, by its ids."""
        return dict(self._suggestions.get())

    def choices(self) -> dict[str, Choice]:
        """Return what people decided about suggestions, also about those that are gone."""
        return dict(self._choices.get())

    def meta(self, key: str) -> str | None:
        """Return a text of `meta`; `None` where there is none."""
        value = self._maps["meta"].get(key)
        return value if isinstance(value, str) else None

    def authors(self, start: int, end: int) -> set[int]:
        """Return the Yjs client ids that wrote the characters `[start, end)`.

        Costs some microseconds a character and grows with the document: for single words.
        """
        return {tick.client for tick in self.ticks(start, end)}

    def ticks(self, start: int, end: int) -> list[Id]:
        """Return the clock ticks of the characters `[start, end)`.

        Their clocks are too high behind characters beyond ASCII in the same stretch of text, by as
        many as these take more bytes of UTF-8 than units of UTF-16. Costs as `authors`.
        """
        text = self.text
        place, found = len(text[:start].encode()), list[Id]()
        for character in text[start:end]:
            item = self._text.sticky_index(place, Assoc.AFTER).to_json().get("item") or {}
            found.append(Id(int(item.get("client", -1)), int(item.get("clock", -1))))
            place += len(character.encode())
        return found

    # Synchronising

    def state_vector(self) -> bytes:
        """Return what this replica has, in Yjs's encoding."""
        return self._doc.get_state()

    def state(self) -> dict[int, int]:
        """Return what this replica has: of each client, so many ticks of its clock."""
        encoded = self.state_vector()
        return decode_state_vector(encoded, len(encoded))

    def update_since(self, state_vector: bytes | None = None) -> bytes:
        """Return what a replica with this state lacks; without one, everything.

        Raises:
            TranscriptError: It is no state vector.
        """
        try:
            return self._doc.get_update(state_vector)
        except Exception as error:
            raise TranscriptError("a Yjs state vector expected") from error

    def apply(self, update: bytes) -> bytes | None:
        """Take in an update of another replica, and return what of it was new.

        Raises:
            TranscriptError: It is no update. It should have been inspected before.
        """
        try:
            self._doc.apply_update(update)
        except BaseException as error:  # a panic of yrs is no Exception
            raise TranscriptError("a Yjs update expected") from error
        return self._taken()

    # Writing

    def begin(self, *, title: str, language: str | None) -> bytes | None:
        """Write the first content of a new document."""
        with self._doc.transaction(origin="machine"):
            meta = self._maps["meta"]
            meta["schema"] = str(SCHEMA)
            meta["title"] = title
            meta["state"] = "live"
            if language is not None:
                meta["language"] = language
        return self._taken()

    def migrate(self, steps: Iterable[Step]) -> bytes | None:
        """Make this a document of our version, in one transaction.

        Args:
            steps: What it lacks; after them `meta.schema` says so, whatever an editor wrote there.
        """
        with self._doc.transaction(origin="machine"):
            for step in steps:
                step(self)
            if self.meta("schema") != str(SCHEMA):
                self._maps["meta"]["schema"] = str(SCHEMA)
        return self._taken()

    def put_meta(self, key: str, value: str) -> bytes | None:
        """Set one text of `meta`, unless it is so already."""
        if self.meta(key) != value:
            with self._doc.transaction(origin="machine"):
                self._maps["meta"][key] = value
        return self._taken()

    def propose_name(self, speaker: SpeakerId, name: str) -> bytes | None:
        """Say how a speaker is called while no person says so."""
        with self._doc.transaction(origin="machine"):
            self._maps["mspeakers"][speaker] = {"name": name}
        return self._taken()

    def write(self, edits: Sequence[Edit]) -> bytes | None:
        """Make planned changes in one transaction; return the update, if anything changed."""
        text = self.text
        self._writing = True
        try:
            with self._doc.transaction(origin="machine"):
                # From the right, so that places to the left stay what they were in the plan.
                for edit in sorted(disjoint(edits), key=_place)[::-1]:
                    self._make(edit, text)
        finally:
            self._writing = False
        return self._taken()

    def _make(self, edit: Edit, before: str) -> None:
        match edit:
            case InsertText(at=at, text=text, segment=segment, highlight=highlight):
                colour = {} if highlight is None else {"hl": highlight}
                self._text.insert(_bytes(before, at), text, {"g": str(segment)} | colour)
            case InsertTurn(at=at, turn=turn):
                self._text.insert(_bytes(before, at), "\n", {"t": turn})
            case Delete(start=start, end=end):
                del self._text[_bytes(before, start) : _bytes(before, end)]
            case DropTurn(at=at, turn=turn):
                del self._text[_bytes(before, at) : _bytes(before, at) + 1]
                self._set("turns", turn, DROPPED)
            case AssignTurn(turn=turn, speaker=speaker):
                self._set("turns", turn, speaker)
            case Suggest(suggestion=suggestion):
                self._set("sug", suggestion.id, suggestion.fields())
            case Withdraw(suggestion=name):
                self._maps["sug"].pop(name, None)
            case WithdrawName(speaker=speaker):
                self._maps["mspeakers"].pop(speaker, None)
            case _:
                assert_never(edit)

    def _follow(self, take: Callable[[Delta, bool], None]) -> None:
        """Have somebody told of each change of the text, and whether it is ours."""
        if not self._followers:  # For each who observes, pycrdt would find anew what changed.
            _observe(self._text, self, self._tell)
        self._followers.append(take)

    def _tell(self, event: Any) -> None:  # noqa: ANN401 - pycrdt does not say what it has
        for take in self._followers:
            take(event.delta, self._writing)

    def _copy(self) -> Mirror:
        return Mirror(
            (text if isinstance(text, str) else "", attributes or {})
            for text, attributes in self._text.diff()
        )

    def _set(self, name: str, key: str, value: object) -> None:
        if self._maps[name].get(key) != value:
            self._maps[name][key] = value

    def _note(self, event: TransactionEvent) -> None:
        self._said = None
        self._fresh.append(event.update)

    def _taken(self) -> bytes | None:
        """Return the update of the transaction that just ended."""
        assert len(self._fresh) <= 1, "each transaction is taken"
        return self._fresh.pop() if self._fresh else None


def _deletion(state: Mapping[int, int]) -> bytes:
    """Return the update that deletes all that some clients wrote, up to a clock of each."""
    ranges = (write_varuint(each) for item in state.items() for each in (item[0], 1, 0, item[1]))
    return b"".join((write_varuint(0), write_varuint(len(state)), *ranges))


def _observe(
    shared: Doc[Any] | Text | Map[Any], owner: object, told: Callable[[Any], None]
) -> None:
    """Have events told to a method of `owner` for as long as that is there.

    What observes a document keeps it, and what it refers to, in memory for ever: pycrdt holds it
    where Python's collector does not see it. So it must not keep the owner, and goes with it.
    """
    method = WeakMethod(told)

    def tell(event: object) -> None:
        if (found := method()) is not None:
            found(event)

    subscription = shared.observe(tell)
    finalize(owner, shared.unobserve, subscription).atexit = False


class _Kept(Generic[T]):
    """What is read of a register, until it changes; owned by the replica."""

    def __init__(self, register: Map[Any], read: Callable[[Map[Any]], T]) -> None:
        self._register = register
        self._read = read
        self._value: T | None = None
        self._observed = False

    def get(self) -> T:
        if not self._observed:  # Who never asks does not pay for each change.
            _observe(self._register, self, self._forget)
            self._observed = True
        if self._value is None:
            self._value = self._read(self._register)
        return self._value

    def _forget(self, _event: object) -> None:
        self._value = None


def _bytes(text: str, at: int) -> int:
    return len(text[:at].encode())


def _place(edit: Edit) -> tuple[int, bool]:
    """Return what edits are sorted by; at one place, what goes comes after what is inserted."""
    match edit:
        case InsertText(at=at) | InsertTurn(at=at):
            return at, False
        case Delete(start=start) | DropTurn(at=start):
            return start, True
        case AssignTurn() | Suggest() | Withdraw() | WithdrawName():
            return -1, False
        case _:
            assert_never(edit)


def _values(register: Map[Any]) -> dict[str, object]:
    """Return what stands in a register; item by item that takes ten times as long."""
    try:
        found: dict[str, object] = json.loads(str(register))
    except ValueError:  # Editors can write numbers that JSON does not have.
        found = dict(register.items())
    return found


def _assigned(register: Map[Any]) -> dict[TurnId, SpeakerId]:
    return assignments(_values(register))


def _assigned_and_dropped(register: Map[Any]) -> tuple[dict[TurnId, SpeakerId], frozenset[TurnId]]:
    values = _values(register)
    return assignments(values), dropped(values)
