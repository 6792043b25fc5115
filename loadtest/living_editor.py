"""An editor in Python that does at random what people do to a transcript, and gives an account.

It uses the client library as any program does, which carries on by itself when a connection is
lost. `node/editor.js` does the same with Yjs on y-websocket.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loadtest.living_account import Account, Alphabet, Erased
from loadtest.living_replica import Shown
from trax_client import Reconnect
from trax_client.address import find_address
from trax_client.changes import Audience
from trax_client.replica import Replica
from trax_client.replication import Replication
from trax_client.transcript import SharedTranscript

RECONNECT = Reconnect(first_s=0.1, longest_s=0.5)
"""Impatient, so that little of a measurement is spent waiting."""

NAMED = ("s1", "s2")
"""Speakers that are given names, whether they have spoken yet or not."""


class PythonEditor:
    """One editor at work; made by `python_editor`.

    Attributes:
        account: What it did.
    """

    def __init__(
        self, transcript: SharedTranscript, replication: Replication, number: int, seed: int
    ) -> None:
        self.account = Account()
        self._transcript = transcript
        self._replication = replication
        self._chance = random.Random(seed)
        self._characters = Alphabet.of(number).characters(self._chance)
        self._name = f"p{number}"
        self._names = 0

    @property
    def shown(self) -> Shown:
        """What it shows."""
        return Shown.of(self._replication.replica)

    async def edit(self, seconds: float, pause_s: float) -> None:
        """Edit for so long, with pauses of random length up to `pause_s`."""
        clock = asyncio.get_running_loop().time
        until_s = clock() + seconds
        while clock() < until_s:
            self._act()
            self.account.edits += 1
            self.account.partials += bool(self._transcript.partials)
            self.account.connections = self._transcript.reconnections + 1
            await asyncio.sleep(pause_s * self._chance.random())

    def _act(self) -> None:
        actions = {
            self._type: 8,
            self._erase: 4,
            self._split: 2,
            self._join: 1,
            self._rename: 1,
            self._assign: 2,
            self._highlight: 2,
            self._note: 1,
        }
        self._chance.choices(list(actions), list(actions.values()))[0]()

    def _type(self) -> None:
        written = [self._new() for _ in range(self._chance.randrange(1, 5))]
        self.account.written += written
        self._transcript.insert(self._place(), "".join(written))

    def _erase(self) -> None:
        start, end = self._stretch(5)
        for turn in self._transcript.turns:
            for run in turn.runs:
                first = max(start, run.start)
                inside = run.text[first - run.start : max(0, end - run.start)]
                self.account.erased += [
                    Erased(run.segment, character, self._replication.replica.identity(at))
                    for at, character in enumerate(inside, start=first)
                ]
        self._transcript.delete(start, end)

    def _split(self) -> None:
        speaker = self._fresh()
        turn = self._transcript.split_turn(self._place(), speaker)
        self.account.chosen.append(("hturns", turn, speaker))

    def _join(self) -> None:
        turns = [turn.id for turn in self._transcript.turns if turn.id is not None]
        if turns:
            self._transcript.join_turns(self._chance.choice(turns))

    def _rename(self) -> None:
        speaker, name = self._chance.choice(NAMED), self._fresh()
        self._transcript.name_speaker(speaker, name)
        self.account.chosen.append(("speakers", speaker, name))

    def _assign(self) -> None:
        turns = [turn.id for turn in self._transcript.turns if turn.id is not None]
        if turns:
            turn, speaker = self._chance.choice(turns), self._fresh()
            self._transcript.choose_speaker(turn, speaker)
            self.account.chosen.append(("hturns", turn, speaker))

    def _highlight(self) -> None:
        start, end = self._stretch(19)
        self._transcript.highlight(start, end, self._chance.choice(("red", "green")))

    def _note(self) -> None:
        notes, character = self._transcript.notes, self._new()
        self.account.noted.append(character)
        at = self._chance.randrange(len(notes) + 1)
        self._transcript.write_notes(notes[:at] + character + notes[at:])

    def _place(self) -> int:
        return self._chance.randrange(len(self._transcript.text) + 1)

    def _stretch(self, longest: int) -> tuple[int, int]:
        length = len(self._transcript.text)
        start = self._chance.randrange(max(1, length))
        return start, min(length, start + self._chance.randrange(1, longest + 1))

    def _new(self) -> str:
        return next(self._characters)

    def _fresh(self) -> str:
        self._names += 1
        return f"{self._name}-{self._names}"


@asynccontextmanager
async def python_editor(
    server_url: str, transcript: str, number: int, seed: int
) -> AsyncIterator[PythonEditor]:
    """Open a transcript, to be edited until the context is left.

    Raises:
        TraxError: It cannot be opened.
    """
    # As `open_transcript` does, which keeps the replica to itself.
    audience = Audience()
    address = find_address(server_url, None, {}).sync(transcript)
    replication = Replication(address, Replica(audience.tell), RECONNECT)
    await replication.open()
    opened = SharedTranscript(transcript, replication, audience)
    opened.show(name=f"python {number}")
    try:
        yield PythonEditor(opened, replication, number, seed)
    finally:
        await opened.close()
