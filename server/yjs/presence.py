"""Who is in a room, and what each of them shows: y-protocols, awareness.js, without I/O or clock.

Everybody has a state under a client id, as JSON, with a clock of its own. The rule of y-protocols
is that the higher clock wins, and of equal clocks the one that says that the state is gone. That
trusts everybody: each may remove or replace the state of each other. Here a state has an owner:

- A client id belongs to the connection that last announced it with a state.
- Only its owner removes a state, or changes it at the same clock.
- Another connection takes an id over by announcing it at a higher clock, with a state. This is
  what a browser does that comes back before its old connection was found dead; the old one then
  has no say, and does not take the state with it when it is closed. One that only reads takes
  nothing over from one that writes: nobody is to speak in an editor's name who may not edit.
- A connection that leaves takes its states with it. So does 30 s of silence.
- The server's own states are nobody else's to touch.

What breaks the rule is not an error but ignored, because honest clients do it all the time:
y-websocket sends everything that it hears back to the server, and declares others timed out. For
the same reason only what is newer is looked into at all.

A browser that comes back after its state was removed announces it at the clock of before, which is
too old. It is told, and it alone, that its state is gone; y-protocols then raises the clock by
itself, and announces the state again.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, replace

from server.yjs.errors import MalformedYjs, check_limit
from server.yjs.json_text import parse_json
from server.yjs.varints import Reader, write_text, write_varuint

EXPIRY_S = 30
"""A state that was not renewed for so long is gone: y-protocols, `outdatedTimeout`."""

RENEWAL_S = EXPIRY_S / 2
"""So old are the server's own states when they are renewed, as y-protocols does."""

MAX_STEP = 2**32
"""So far may a clock be ahead of the one known before. Nobody gets there by counting, and nobody is
to push the clock of another to where numbers end."""

MAX_CLOCK = 2**52
"""Later clocks are ignored, so that the next ones are still numbers that JavaScript can hold."""

_GONE = "null"


@dataclass(frozen=True, slots=True)
class PresenceLimits:
    """How much presence a room bears.

    Attributes:
        state_bytes: Size of one state, as JSON in UTF-8.
        states_per_owner: States that one connection may own.
        states: States of the whole room; so many removed ones are remembered, too.
        reserved: Key that only the server's own states may have.
    """

    state_bytes: int
    states_per_owner: int
    states: int
    reserved: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of an awareness update, as awareness updates to send on.

    Attributes:
        everybody: What changed, if anything did.
        sender: What its sender has to know before it tries again, if anything.
    """

    everybody: bytes | None
    sender: bytes | None


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of an awareness update: a state as JSON, or `None`; `at` is its offset."""

    client: int
    clock: int
    state: str | None
    at: int = 0


@dataclass(frozen=True, slots=True)
class _State:
    """A state that is there. Those of the server have no owner."""

    clock: int
    state: str
    owner: Hashable | None
    renewed_s: float


class Presence:
    """The awareness states of one room, which owns it.

    Times are those of any clock that only goes forward.
    """

    def __init__(self, limits: PresenceLimits) -> None:
        self._limits = limits
        self._states: dict[int, _State] = {}
        self._gone: dict[int, int] = {}  # the clocks of states that are gone, the oldest first
        self._own: set[int] = set()

    def apply(
        self,
        update: bytes,
        owner: Hashable,
        now_s: float,
        *,
        yields_to: Collection[Hashable] = (),
    ) -> Applied:
        """Take what is newer and allowed out of an awareness update; all of it, or nothing.

        Args:
            owner: The connection that sent it, not `None`.
            yields_to: Connections from which this one takes nothing over.

        Raises:
            MalformedYjs: It is not what the format says, or a state is no JSON object.
            LimitExceeded: There are too many states, or one is too large, or too far ahead.
        """
        entries = self._read(update)
        accepted = [entry for entry in entries if self._is_newer(entry, owner, yields_to)]
        for entry in accepted:
            self._check_entry(entry)
        self._check_room(accepted, owner)
        outdated = [entry for entry in entries if self._is_outdated(entry)]
        told = [replace(entry, clock=self._gone[entry.client], state=None) for entry in outdated]
        changed = [entry for entry in accepted if self._accept(entry, owner, now_s)]
        return Applied(_encode(changed), _encode(told))

    def leave(self, owner: Hashable) -> bytes | None:
        """Remove the states of a connection that is closed, and return what everybody is told."""
        left = [client for client, found in self._states.items() if found.owner == owner]
        return _encode(self._remove(left))

    def set_own(self, client: int, state: str | None, now_s: float) -> bytes | None:
        """Set a state of the server's, or remove it, and return what everybody is told.

        The id is the server's from then on, whoever had it before. Its clock begins with this
        object: after a restart, others would take an id of before for an old one.

        Args:
            state: A JSON object.
        """
        self._own.add(client)
        if state is None:
            return _encode(self._remove([client] if client in self._states else []))
        entry = _Entry(client, self._clock(client) + 1, state)
        self._accept(entry, None, now_s)
        return _encode([entry])

    def refresh(self, now_s: float) -> bytes | None:
        """Remove states that nobody renewed, and renew the server's own; call it every few seconds.

        Returns:
            What everybody is told, if anything.
        """
        silent = [
            client
            for client, found in self._states.items()
            if client not in self._own and now_s - found.renewed_s >= EXPIRY_S
        ]
        old = [
            _Entry(client, found.clock + 1, found.state)
            for client, found in self._states.items()
            if client in self._own and now_s - found.renewed_s >= RENEWAL_S
        ]
        for entry in old:
            self._accept(entry, None, now_s)
        return _encode([*self._remove(silent), *old])

    def everybody(self) -> bytes | None:
        """Return all states, for who comes later, or `None` when nobody is there."""
        return _encode(
            _Entry(client, found.clock, found.state) for client, found in self._states.items()
        )

    def shown(self) -> list[str]:
        """Return what others than the server show, as JSON."""
        return [found.state for client, found in self._states.items() if client not in self._own]

    def _read(self, update: bytes) -> list[_Entry]:
        reader = Reader(update)
        entries: list[_Entry] = []
        clients: set[int] = set()
        for _ in range(reader.count("states of an awareness update", self._limits.states)):
            client = reader.client(clients)
            clients.add(client)
            clock = reader.varuint()
            at = reader.at
            state = reader.text()
            entries.append(_Entry(client, clock, None if state.strip() == _GONE else state, at))
        reader.end()
        return entries

    def _is_newer(self, entry: _Entry, owner: Hashable, yields_to: Collection[Hashable]) -> bool:
        """Whether an entry wins over what is there, and its sender may say it."""
        if entry.client in self._own or entry.clock > MAX_CLOCK:
            return False
        found = self._states.get(entry.client)
        if found is not None and found.owner in yields_to:
            return False
        if found is None or entry.state is not None:
            return entry.clock > self._clock(entry.client)
        return found.owner == owner and entry.clock >= found.clock

    def _is_outdated(self, entry: _Entry) -> bool:
        """Whether an entry announces a state that was removed at a higher clock."""
        return entry.state is not None and entry.clock <= self._gone.get(entry.client, -1)

    def _check_entry(self, entry: _Entry) -> None:
        step = entry.clock - self._clock(entry.client)
        check_limit("steps of a presence clock", MAX_STEP, step)
        if entry.state is None:
            return
        check_limit(
            "bytes of a presence state", self._limits.state_bytes, len(entry.state.encode())
        )
        try:
            value = parse_json(entry.state)
        except ValueError as error:
            raise MalformedYjs(entry.at, f"a state in {error}", "something else") from error
        if not isinstance(value, dict):
            raise MalformedYjs(entry.at, "a state that is a JSON object", type(value).__name__)
        reserved = self._limits.reserved
        if reserved in value:
            raise MalformedYjs(entry.at, f"a state without {reserved!r}", "one with it")

    def _check_room(self, accepted: Iterable[_Entry], owner: Hashable) -> None:
        """Check that there is room for the states that an owner wants to add."""
        shown = {entry.client for entry in accepted if entry.state is not None}
        gone = {entry.client for entry in accepted if entry.state is None}
        owned = {client for client, found in self._states.items() if found.owner == owner}
        if shown <= owned:
            return
        per_owner = len((owned | shown) - gone)
        check_limit("presence states of a connection", self._limits.states_per_owner, per_owner)
        total = len((self._states.keys() | shown) - gone)
        check_limit("presence states of a room", self._limits.states, total)

    def _accept(self, entry: _Entry, owner: Hashable | None, now_s: float) -> bool:
        """Put an entry in the place of what is there; return whether anybody can tell."""
        if entry.state is not None:
            self._gone.pop(entry.client, None)
            self._states[entry.client] = _State(entry.clock, entry.state, owner, now_s)
            return True
        was_there = self._states.pop(entry.client, None) is not None
        self._remember(entry.client, entry.clock)
        return was_there

    def _remove(self, clients: Iterable[int]) -> list[_Entry]:
        """Remove states at the next clock, as y-protocols does."""
        removed = []
        for client in clients:
            clock = self._states.pop(client).clock + 1
            self._remember(client, clock)
            removed.append(_Entry(client, clock, None))
        return removed

    def _remember(self, client: int, clock: int) -> None:
        """Keep the clock of a state that is gone: what was sent before is not to revive it."""
        self._gone.pop(client, None)
        self._gone[client] = clock
        if len(self._gone) > self._limits.states:
            del self._gone[next(iter(self._gone))]

    def _clock(self, client: int) -> int:
        """Return the last clock of a client; 0 for who is not known, as in y-protocols."""
        found = self._states.get(client)
        return self._gone.get(client, 0) if found is None else found.clock


def _encode(entries: Iterable[_Entry]) -> bytes | None:
    lines = [
        write_varuint(entry.client)
        + write_varuint(entry.clock)
        + write_text(_GONE if entry.state is None else entry.state)
        for entry in entries
    ]
    return write_varuint(len(lines)) + b"".join(lines) if lines else None
