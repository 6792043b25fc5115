"""How `trax-client transcripts follow` shows a transcript that changes: JSON, lines or a screen.

On a terminal all turns are redrawn as they change, as many as fit, with what is being said dim
below them. Elsewhere what is printed stays: a turn that was edited is printed again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from functools import partial
from typing import Protocol, TextIO

from trax_client.changes import Changes
from trax_client.document import (
    Change,
    NotesChanged,
    PartialsChanged,
    PeopleChanged,
    Saying,
    SpeakersChanged,
    SuggestionsChanged,
    TitleChanged,
    Turn,
    TurnsChanged,
)
from trax_client.transcript import SharedTranscript

_TYPES = {
    TitleChanged: "title",
    SpeakersChanged: "speakers",
    TurnsChanged: "turns",
    NotesChanged: "notes",
    PeopleChanged: "people",
    PartialsChanged: "partials",
    SuggestionsChanged: "suggestions",
}


REST_S = 1.0
"""A turn that has not changed for so long is printed where lines stay."""


class FollowView(Protocol):
    """Shows what changes."""

    def show(self, change: Change) -> None:
        """Show a change."""

    def tick(self) -> None:
        """Take note that `REST_S` have passed since the last time."""


MakeFollowView = Callable[[SharedTranscript], AbstractContextManager[FollowView]]
"""Makes the view of a transcript, which begins with what stands there."""


def choose_view(out: TextIO, *, as_json: bool) -> MakeFollowView:
    """Return what shows a transcript on this output.

    Raises:
        ImportError: It is a terminal, and rich is not installed.
    """
    if as_json:
        return partial(_json_lines, out)
    if not out.isatty():
        return partial(_turn_lines, out)
    from trax_client.follow_screen import FollowScreen  # noqa: PLC0415 - rich is optional

    return FollowScreen


async def follow(changes: Changes, view: FollowView) -> None:
    """Show changes until there are no more.

    Raises:
        TraxError: The transcript was lost for good.
    """
    loop = asyncio.get_running_loop()
    due_s = loop.time() + REST_S
    while True:
        try:
            async with asyncio.timeout_at(due_s):
                view.show(await anext(changes))
        except TimeoutError:
            view.tick()
            due_s = loop.time() + REST_S
        except StopAsyncIteration:
            return


@contextmanager
def _json_lines(out: TextIO, transcript: SharedTranscript) -> Iterator[FollowView]:
    view = JsonLines(out)
    view.show(TitleChanged(transcript.title))
    view.show(TurnsChanged(transcript.turns))
    yield view


@contextmanager
def _turn_lines(out: TextIO, transcript: SharedTranscript) -> Iterator[FollowView]:
    view = TurnLines(out)
    view.print_all(transcript.turns)
    try:
        yield view
    finally:
        view.print_all(transcript.turns)


class JsonLines:
    """One change a line, each with all that its part says now."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, change: Change) -> None:
        """Write the change."""
        line = {"type": _TYPES[type(change)]} | asdict(change)
        _write(self._out, json.dumps(line, ensure_ascii=False))

    def tick(self) -> None:
        """Nothing waits here."""


class TurnLines:
    """Turns as lines that stay, each when it has come to rest; `~` marks one printed before."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._turns: Sequence[Turn] = ()
        self._resting: dict[str | None, str | None] = {}
        self._printed: dict[str | None, str] = {}

    def show(self, change: Change) -> None:
        """Take note of what the turns say now."""
        if isinstance(change, TurnsChanged):
            self._turns = change.turns

    def tick(self) -> None:
        """Write the turns that say what they said one tick ago."""
        for turn in self._turns:
            if self._resting.get(turn.id) == as_line(turn):
                self._print(turn)
        self._resting = {turn.id: as_line(turn) for turn in self._turns}

    def print_all(self, turns: Sequence[Turn]) -> None:
        """Write all of these turns, resting or not."""
        for turn in turns:
            self._print(turn)

    def _print(self, turn: Turn) -> None:
        line, before = as_line(turn), self._printed.get(turn.id)
        if line is not None and line != before:
            self._printed[turn.id] = line
            _write(self._out, line if before is None else f"~ {line}")


def as_line(turn: Turn | Saying) -> str | None:
    """Return what somebody said as a line, or `None` where that is nothing."""
    text = " ".join(turn.text.split())
    if not text:
        return None
    return f"{turn.name}: {text}" if turn.name else text


def as_lines(said: Sequence[Turn | Saying]) -> list[str]:
    """Return all that was said as lines."""
    return [line for line in map(as_line, said) if line is not None]


def _write(out: TextIO, line: str) -> None:
    out.write(line + "\n")
    out.flush()
