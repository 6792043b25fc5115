"""One copy of a shared transcript, with what was changed here and what others show.

The only module that knows pycrdt, whose offsets in a text are UTF-8 bytes; ours are code points,
and `Replica.place` converts. `clients/PROTOCOL.md`, section 10, says what stands where.

Should another connection turn out to write under our client id, which Yjs does not survive, all
goes on in a successor with an id of its own. For that, a replica keeps a log of what happened
since the server last confirmed what was written here: each change of ours once as Yjs wrote it, and
once as text. What the server has of them the successor takes as it is, and makes the rest anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from trax_client.document import Part
from trax_client.errors import ProtocolViolation

try:
    from pycrdt import (
        Assoc,
        Awareness,
        Decoder,
        Doc,
        Map,
        MapEvent,
        Text,
        TextEvent,
        TransactionEvent,
        UndoManager,
    )
except ImportError as error:
    raise ImportError(
        f"shared transcripts need pip install 'trax-client[transcript]' ({error})"
    ) from error

TEXTS = ("text", "notes")
MAPS = ("turns", "hturns", "mspeakers", "speakers", "sug", "sugd", "meta")
OURS = ("text", "notes", "hturns", "speakers", "sugd")
"""What people write, and can undo."""

ORIGIN = "person"
"""Of the transactions that undo takes back."""

LONGEST_LOG = 512
"""Entries from which on what the server has confirmed is folded into one."""


_PARTS: Mapping[str, frozenset[Part]] = {
    "text": frozenset({Part.TURNS}),
    "turns": frozenset({Part.TURNS}),
    "hturns": frozenset({Part.TURNS}),
    # Turns and partials bear their speakers' names.
    "speakers": frozenset({Part.SPEAKERS, Part.TURNS, Part.PARTIALS}),
    "mspeakers": frozenset({Part.SPEAKERS, Part.TURNS, Part.PARTIALS}),
    "sug": frozenset({Part.SUGGESTIONS}),
    "sugd": frozenset({Part.SUGGESTIONS}),
    "notes": frozenset({Part.NOTES}),
    "meta": frozenset({Part.TITLE}),
}


@dataclass(frozen=True, slots=True)
class _Theirs:
    """A change that came from the server."""

    update: bytes


@dataclass(frozen=True, slots=True)
class _Mine:
    """A change that was made here.

    Attributes:
        number: Changes made here before it.
        update: As Yjs wrote it.
        clock: Of our client id, after it.
        steps: What it did, by root: deltas of texts, keys of maps.
    """

    number: int
    update: bytes
    clock: int
    steps: tuple[tuple[str, Any], ...]


class Replica:
    """One copy of the document; used in one thread.

    Attributes:
        client_id: Under which it writes.
        written: Changes made here.
        confirmed: How many of them the server has for certain.
        sent: How many of them were handed out to be sent.
    """

    def __init__(
        self, changed: Callable[[frozenset[Part]], None], client_id: int | None = None
    ) -> None:
        """Make an empty copy.

        Args:
            changed: Is told which parts a change concerned.
            client_id: Never used before; default: a random one.
        """
        self.client_id = secrets.randbits(32) if client_id is None else client_id
        self.written = self.confirmed = self.sent = 0
        self._changed = changed
        self._doc: Doc[Any] = Doc(client_id=self.client_id)
        self._texts = {name: self._doc.get(name, type=Text) for name in TEXTS}
        self._maps = {name: self._doc.get(name, type=Map) for name in MAPS}
        self._awareness = Awareness(self._doc)
        self._awareness.set_local_state(None)
        roots = {**self._texts, **self._maps}
        self._undo = UndoManager(scopes=[roots[name] for name in OURS], capture_timeout_millis=0)
        self._undo.include_origin(ORIGIN)
        self._base: bytes | None = None
        self._log: list[_Theirs | _Mine] = []
        self._parts: set[Part] = set()
        self._steps: list[tuple[str, Any]] | None = None
        self._updates: list[bytes] = []
        self._observe()

    # Reading

    @property
    def text(self) -> str:
        """The whole text."""
        return str(self._texts["text"])

    @property
    def notes(self) -> str:
        """The meeting notes."""
        return str(self._texts["notes"])

    def stretches(self) -> list[tuple[object, dict[str, object] | None]]:
        """Return the text in stretches of equal attributes."""
        stretches: list[tuple[object, dict[str, object] | None]] = self._texts["text"].diff()
        return stretches

    def identity(self, position: int) -> tuple[int, int]:
        """Return client and clock of a character; exact in a piece of nothing but ASCII."""
        place = self._texts["text"].sticky_index(self.place("text", position), Assoc.AFTER)
        item = place.to_json()["item"]
        return item["client"], item["clock"]

    def register(self, name: str) -> dict[str, object]:
        """Return what one of the maps says; anything may stand there."""
        return dict(self._maps[name].items())

    def others(self) -> dict[int, dict[str, object]]:
        """Return what others show, by their client ids."""
        states = self._awareness.states.items()
        return {client: state for client, state in states if client != self.client_id}

    # Writing

    def insert(
        self, root: str, position: int, text: str, attributes: dict[str, Any] | None = None
    ) -> None:
        """Insert text, which inherits the attributes of what stands before it if none are given."""
        self._texts[root].insert(self.place(root, position), text, attributes)

    def delete(self, root: str, start: int, end: int) -> None:
        """Delete `[start, end)`."""
        del self._texts[root][self.place(root, start) : self.place(root, end)]

    def mark(self, start: int, end: int, name: str, value: str | None) -> None:
        """Set or remove an attribute of the text `[start, end)`."""
        text = self._texts["text"]
        text.format(self.place("text", start), self.place("text", end), {name: value})

    def put(self, root: str, key: str, value: object) -> None:
        """Set one entry of a map."""
        self._maps[root][key] = value

    def place(self, root: str, position: int) -> int:
        """Return the offset for a position, counted in code points: UTF-8 bytes."""
        return len(str(self._texts[root])[:position].encode())

    @contextmanager
    def edit(self) -> Iterator[None]:
        """Make all that is changed inside one change, for others and for undo.

        Nothing in it may fail: what was done before stays.
        """
        with self._noted(), self._doc.transaction(origin=ORIGIN):
            yield

    def undo(self) -> bool:
        """Take back the last change made here; return whether there was one."""
        with self._noted():
            return self._undo.undo()

    def redo(self) -> bool:
        """Make again what was taken back last; return whether there was anything."""
        with self._noted():
            return self._undo.redo()

    # Synchronising

    def state_vector(self) -> bytes:
        """Return what this replica has, in Yjs's encoding."""
        return self._doc.get_state()

    def update_since(self, state_vector: bytes) -> bytes:
        """Return what a replica with this state lacks.

        Raises:
            ProtocolViolation: It is no state vector.
        """
        try:
            update = self._doc.get_update(state_vector)
        except Exception as error:  # pycrdt raises bare ones
            raise ProtocolViolation("a Yjs state vector", "something else") from error
        self.sent = self.written
        return update

    def receive(self, update: bytes) -> None:
        """Take in a change of others.

        Raises:
            ProtocolViolation: It is no update.
        """
        try:
            self._doc.apply_update(update)
        except BaseException as error:  # a panic of yrs is no Exception
            raise ProtocolViolation("a Yjs update", "something else") from error
        if self._log:
            self._log.append(_Theirs(update))
        self._tell()

    def unsent(self) -> list[bytes]:
        """Return the changes that were made here and not handed out yet."""
        first, self.sent = self.sent, self.written
        return [
            entry.update
            for entry in self._log
            if isinstance(entry, _Mine) and entry.number >= first
        ]

    def confirm(self, number: int) -> None:
        """Note that the server has so many of the changes made here."""
        self.confirmed = max(self.confirmed, number)
        if self.confirmed == self.written:
            self._base, self._log = None, []
        elif len(self._log) > LONGEST_LOG:
            self._fold()

    def clock_in(self, state_vector: bytes) -> int:
        """Return how much of what our client id wrote a replica with this state has.

        Raises:
            ProtocolViolation: It is no state vector.
        """
        return _clocks(state_vector).get(self.client_id, 0)

    def succeed(self, server_clock: int | None) -> Replica:
        """Return a replica with a client id of its own that goes on from here.

        What is undone by `undo` begins anew. Where somebody formatted text at the very place and
        moment at which text was inserted here, the order of the two may become another one.

        Args:
            server_clock: How much of what this client id wrote the server has; `None` to leave
                out all that was changed here and not confirmed.
        """
        heir = Replica(self._changed, self._next_id())
        heir.receive(self._doc.get_update() if self._base is None else self._base)
        heir.written = heir.confirmed = heir.sent = self.confirmed
        for entry in self._log:
            match entry:
                case _Theirs(update=update):
                    heir.receive(update)
                case _Mine(number=number) if number < self.confirmed:
                    heir.receive(entry.update)
                case _Mine() if server_clock is not None:
                    heir.repeat(entry, there=self._is_there(entry, server_clock))
        heir.written = self.written
        if server_clock is None:
            heir.confirmed = heir.sent = self.written
        heir.show(self._awareness.get_local_state())
        self._changed(frozenset(Part))
        return heir

    def repeat(self, change: _Mine, *, there: bool) -> None:
        """Make a change of a predecessor here; as it was, if the server has it."""
        if there:
            self.receive(change.update)
            return
        with self.edit():
            for root, step in change.steps:
                if root in self._texts:
                    _apply_delta(self._texts[root], step)
                else:
                    _apply_keys(self._maps[root], step)

    # Presence

    def show(self, state: dict[str, Any] | None) -> None:
        """Show a state to others, or nothing."""
        self._awareness.set_local_state(state)

    def renewed(self) -> bytes | None:
        """Return what tells others again what is shown here; `None` if that is nothing."""
        state = self._awareness.get_local_state()
        if state is None:
            return None
        self._awareness.set_local_state(state)
        return self._awareness.encode_awareness_update([self.client_id])

    def vanish(self) -> bytes | None:
        """Return what tells others that nobody is here; `None` if nothing was shown."""
        if self._awareness.get_local_state() is None:
            return None
        self._awareness.set_local_state(None)
        return self._awareness.encode_awareness_update([self.client_id])

    def receive_presence(self, update: bytes) -> bool:
        """Take in what others show; return whether they have to be told again who we are.

        A server that missed us tells that we are gone.

        Raises:
            ProtocolViolation: It is no awareness update.
        """
        ours = self._awareness.meta.get(self.client_id)
        try:
            self._awareness.apply_awareness_update(update, "server")
        except Exception as error:  # of decoding, of any kind
            raise ProtocolViolation("an awareness update", "something else") from error
        self._changed(frozenset({Part.PEOPLE, Part.PARTIALS}))
        return self._awareness.meta.get(self.client_id) is not ours

    def forget_others(self) -> None:
        """Show nobody any more: without a connection nobody knows."""
        self._awareness.remove_awareness_states(list(self.others()), "local")
        self._changed(frozenset({Part.PEOPLE, Part.PARTIALS}))

    # Inside

    def _observe(self) -> None:
        for name, text in self._texts.items():
            text.observe(partial(self._note_text, name))
        for name, register in self._maps.items():
            register.observe(partial(self._note_map, name))
        self._doc.observe(self._note_update)

    def _note_text(self, name: str, event: TextEvent) -> None:
        self._parts |= _PARTS[name]
        if self._steps is not None:
            delta = event.delta  # type: ignore[attr-defined]  # which pycrdt does not declare
            self._steps.append((name, delta))

    def _note_map(self, name: str, event: MapEvent) -> None:
        self._parts |= _PARTS[name]
        if self._steps is not None:
            keys = event.keys  # type: ignore[attr-defined]  # likewise
            self._steps.append((name, keys))

    def _note_update(self, event: TransactionEvent) -> None:
        if self._steps:
            self._updates.append(event.update)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Enter into the log what is changed inside."""
        if not self._log:
            self._base = self._doc.get_update()
        self._steps = []
        yield
        steps, self._steps = tuple(self._steps), None
        if self._updates:
            clock = self.clock_in(self.state_vector())
            self._log.append(_Mine(self.written, self._updates.pop(), clock, steps))
            self.written += 1
        self._tell()

    def _tell(self) -> None:
        parts, self._parts = frozenset(self._parts), set()
        if parts:
            self._changed(parts)

    def _next_id(self) -> int:
        """Return a client id that sorts among those of others as ours does.

        Yjs puts in order by client id what was inserted at one place at the same time. In any
        other order, what was changed after that would now be changed at the wrong place.
        """
        known = _clocks(self.state_vector())
        above = min((client for client in known if client > self.client_id), default=1 << 32)
        free = above - self.client_id - 1
        return self.client_id + 1 + secrets.randbelow(free) if free > 0 else secrets.randbits(32)

    def _is_there(self, change: _Mine, server_clock: int) -> bool:
        """Return whether the server has a change, or could be told of it as it is.

        What only deletes has no clock of its own, but all that it deletes is there then. What was
        never sent is not there, even if somebody else wrote so much under our id.
        """
        return change.number < self.sent and change.clock <= server_clock

    def _fold(self) -> None:
        """Make one of what the server has: all entries before the first that it may not have."""
        folded: Doc[Any] = Doc()
        assert self._base is not None, "there is a base while there is a log"
        folded.apply_update(self._base)
        kept = list(self._log)
        while not isinstance(kept[0], _Mine) or kept[0].number < self.confirmed:
            folded.apply_update(kept.pop(0).update)
        self._base, self._log = folded.get_update(), kept


def _clocks(state_vector: bytes) -> dict[int, int]:
    """Return how much a replica with this state has, by client id."""
    try:
        decoder = Decoder(state_vector)
        pairs = range(decoder.read_var_uint())
        return {decoder.read_var_uint(): decoder.read_var_uint() for _ in pairs}
    except (IndexError, RuntimeError) as error:
        raise ProtocolViolation("a Yjs state vector", "something else") from error


def _apply_delta(text: Text, delta: list[dict[str, Any]]) -> None:
    at = 0
    for step in delta:
        match step:
            case {"insert": inserted}:
                text.insert(at, inserted, step.get("attributes", {}))
                at += len(inserted.encode())
            case {"delete": length}:
                del text[at : at + length]
            case {"retain": length}:
                if "attributes" in step:
                    text.format(at, at + length, step["attributes"])
                at += length


def _apply_keys(register: Map[Any], keys: dict[str, dict[str, Any]]) -> None:
    for key, change in keys.items():
        if change["action"] == "delete":
            register.pop(key, None)
        else:
            register[key] = change["newValue"]
