"""Shared transcripts, open: what is said and edited, live, and edits of one's own.

    async with open_transcript("2xK9...") as transcript:
        for turn in transcript.turns:
            print(turn.name, turn.text)
        async for change in transcript.changes():
            ...

Needs `pip install 'trax-client[transcript]'`. What is read are values of `document`; the document
is kept by `replica`, and made the same as the server's by `replication`.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import assert_never

from trax_client.address import find_address
from trax_client.backoff import Reconnect
from trax_client.changes import Audience, Changes
from trax_client.document import (
    Change,
    NotesChanged,
    Part,
    PartialsChanged,
    PeopleChanged,
    Person,
    Saying,
    SpeakersChanged,
    Suggestion,
    SuggestionsChanged,
    TitleChanged,
    TranscriptSpeaker,
    Turn,
    TurnsChanged,
    as_person,
    as_runs,
    as_sayings,
    as_speakers,
    as_turn_speakers,
    as_turns,
    merged,
)
from trax_client.errors import NotSaved, SuggestionOutdated
from trax_client.replica import Replica
from trax_client.replication import Replication
from trax_client.suggestions import as_suggestions, find

__all__ = ["Changes", "SharedTranscript", "open_transcript"]

NAMES = 12
"""Bytes of chance in the id of a turn: never the same twice."""


class SharedTranscript:
    """One open transcript, made by `open_transcript`; used in one event loop.

    Reading and editing never wait, with or without a connection: what was written meanwhile is
    merged when there is one again. Positions are code points of `text`, and hold until something
    changes, which happens at awaits only.
    """

    def __init__(self, transcript_id: str, replication: Replication, audience: Audience) -> None:
        self.id = transcript_id
        self._live = replication
        self._audience = audience
        self._carrier = asyncio.create_task(replication.run(), name="trax transcript")
        # A callback, because a task that is cancelled before its first step runs no `finally`.
        self._carrier.add_done_callback(lambda _task: self._stop())

    # Reading

    @property
    def text(self) -> str:
        """All that is said, as one text; each turn begins after a newline."""
        return self._replica.text

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns as they stand now."""
        replica = self._replica
        said_by = as_turn_speakers(*map(replica.register, ("turns", "hturns", "speakers")))
        return as_turns(as_runs(replica.stretches()), said_by, self._names())

    @property
    def speakers(self) -> tuple[TranscriptSpeaker, ...]:
        """Who speaks, as people see them."""
        return as_speakers(self._replica.register("mspeakers"), self._replica.register("speakers"))

    @property
    def suggestions(self) -> tuple[Suggestion, ...]:
        """What the server would correct where people had edited, and nobody decided about yet."""
        replica = self._replica
        return as_suggestions(replica.register("sug"), replica.register("sugd"))

    @property
    def notes(self) -> str:
        """The meeting notes, Markdown."""
        return self._replica.notes

    @property
    def title(self) -> str:
        """The title; `Library.change` sets it."""
        title = self._replica.register("meta").get("title")
        return title if isinstance(title, str) else ""

    @property
    def partials(self) -> tuple[Saying, ...]:
        """What is being said now, and is not final yet; nothing without a connection."""
        names, same = self._names(), merged(self._replica.register("speakers"))
        states = self._replica.others().values()
        return tuple(saying for state in states for saying in as_sayings(state, names, same))

    @property
    def people(self) -> tuple[Person, ...]:
        """Who else has the transcript open and shows it."""
        shown = (as_person(client, state) for client, state in self._replica.others().items())
        return tuple(person for person in shown if person is not None)

    @property
    def connected(self) -> bool:
        """Whether a connection stands now."""
        return self._live.connected

    @property
    def reconnections(self) -> int:
        """How many connections were lost and made again."""
        return self._live.reconnections

    def changes(self) -> Changes:
        """Return an iterator over what changes from now on, by whomever, with what then stands.

        Several may go on at once. Who reads slowly gets the newest state of each part only, so
        that nothing piles up.
        """
        return self._audience.admit(Changes(self._read, self._ended))

    # Editing

    def insert(self, position: int, text: str) -> None:
        """Insert text at `position`; newlines in it begin no turns.

        It becomes part of what stands before it: of its turn, and of its highlight.
        """
        self._check(position)
        text.encode()  # half a surrogate pair would break the document
        with self._edit():
            self._insert(position, text)

    def delete(self, start: int, end: int) -> None:
        """Delete `text[start:end]`; with the newline before a turn, that turn joins the last."""
        self._check(start, end)
        if start < end:
            with self._edit():
                self._replica.delete("text", start, end)

    def replace(self, start: int, end: int, text: str) -> None:
        """Put text in the place of `text[start:end]`, whose turn and times it keeps."""
        self._check(start, end)
        text.encode()
        with self._edit():
            self._insert(end, text)
            if start < end:
                self._replica.delete("text", start, end)

    def split_turn(self, position: int, speaker: str | None = None) -> str:
        """Begin a turn at `position`; return its id.

        Args:
            position: Where its text begins.
            speaker: Who speaks in it; default: who spoke in the turn that is split.
        """
        self._check(position)
        before = [turn for turn in self.turns if turn.start <= position]
        speaking = speaker or (before[-1].speaker if before else None)
        turn = secrets.token_urlsafe(NAMES)
        with self._edit():
            self._replica.insert("text", position, "\n", {"t": turn})
            if speaking is not None:
                self._replica.put("hturns", turn, speaking)
        return turn

    def join_turns(self, turn: str) -> None:
        """Join a turn to the one before it.

        Raises:
            ValueError: There is no such turn.
        """
        start = self._turn(turn).start
        with self._edit():
            self._replica.delete("text", start - 1, start)

    def choose_speaker(self, turn: str, speaker: str) -> None:
        """Say who speaks in a turn, whatever the server heard.

        Raises:
            ValueError: There is no such turn.
        """
        self._turn(turn)
        with self._edit():
            self._replica.put("hturns", turn, speaker)

    def name_speaker(
        self, speaker: str, name: str | None = None, colour: str | None = None
    ) -> None:
        """Name a speaker, or choose a colour; `None` leaves what people chose before."""
        chosen = {"name": name, "colour": colour}
        self._say_of(speaker, {field: said for field, said in chosen.items() if said is not None})

    def merge_speakers(self, speaker: str, other: str | None) -> None:
        """Say that a speaker is another one, in all turns, those to come as well.

        `None` takes it back: the turns are those of the speaker again.
        """
        self._say_of(speaker, {"same": other})

    def highlight(self, start: int, end: int, colour: str | None) -> None:
        """Highlight `text[start:end]` in a colour, or with `None` no more."""
        self._check(start, end)
        if start < end:
            with self._edit():
                self._replica.mark(start, end, "hl", colour)

    def accept(self, suggestion: str) -> None:
        """Have the text say what a suggestion says, as an edit of one's own.

        Raises:
            ValueError: There is no such suggestion, or somebody decided about it.
            SuggestionOutdated: Its text was edited since.
        """
        accepted = self._suggestion(suggestion)
        place = find(tuple(as_runs(self._replica.stretches())), accepted)
        if place is None:
            raise SuggestionOutdated(suggestion)
        start, end = place
        with self._edit():
            self._insert(end, accepted.alternative)
            if start < end:
                self._replica.delete("text", start, end)
            self._replica.put("sugd", suggestion, "accepted")

    def dismiss(self, suggestion: str) -> None:
        """Leave the text as it is, and have nobody see a suggestion any more.

        Raises:
            ValueError: There is no such suggestion, or somebody decided about it.
        """
        self._suggestion(suggestion)
        with self._edit():
            self._replica.put("sugd", suggestion, "dismissed")

    def write_notes(self, markdown: str) -> None:
        """Make the meeting notes say this; what equal text others write meanwhile stays."""
        markdown.encode()
        old, common = self.notes, 0
        shorter = min(len(old), len(markdown))
        while common < shorter and old[common] == markdown[common]:
            common += 1
        after = 0
        while after < shorter - common and old[-1 - after] == markdown[-1 - after]:
            after += 1
        with self._edit():
            if common < len(old) - after:
                self._replica.delete("notes", common, len(old) - after)
            if common < len(markdown) - after:
                self._replica.insert("notes", common, markdown[common : len(markdown) - after])

    def undo(self) -> bool:
        """Take back the last edit made here, never anybody else's; return whether there was one."""
        self._allow()
        undone = self._replica.undo()
        self._live.wake()
        return undone

    def redo(self) -> bool:
        """Make again the edit that was taken back last; return whether there was one."""
        self._allow()
        redone = self._replica.redo()
        self._live.wake()
        return redone

    def show(self, *, name: str, colour: str | None = None) -> None:
        """Show others that somebody of this name has the transcript open, from now on."""
        user = {"name": name} if colour is None else {"name": name, "color": colour}
        self._replica.show({"user": user})
        self._live.show()

    async def saved(self) -> None:
        """Wait until the server has stored what was written up to now, with a connection or not.

        Raises:
            Forbidden: It did not take it: the token only reads.
            NotSaved: The transcript was closed meanwhile.
            TraxError: It was lost for good.
        """
        written = self._replica.written
        if not await self._live.confirmed(written):
            self._allow()
            self._ended()
            raise NotSaved(self._live.unconfirmed)

    async def close(self) -> None:
        """Close, whatever was saved. `open_transcript` does it on leaving its context."""
        self._carrier.cancel()
        await asyncio.wait([self._carrier])
        await self._live.close()

    # Inside

    @property
    def _replica(self) -> Replica:
        return self._live.replica

    @contextmanager
    def _edit(self) -> Iterator[None]:
        self._allow()
        with self._replica.edit():
            yield
        self._live.wake()

    def _allow(self) -> None:
        if self._live.denied is not None:
            raise self._live.denied

    def _insert(self, position: int, text: str) -> None:
        if not text:
            return
        self._replica.insert("text", position, text)
        for place, character in enumerate(text, position):
            if character == "\n":
                # It may have inherited from what stands before it to be the beginning of a turn.
                self._replica.mark(place, place + 1, "t", None)

    def _check(self, *positions: int) -> None:
        bounds = [0, *positions, len(self.text)]
        if bounds != sorted(bounds):
            told = ", ".join(map(str, positions))
            raise ValueError(f"positions in order within 0..{bounds[-1]} expected, got {told}")

    def _turn(self, turn: str) -> Turn:
        found = next((each for each in self.turns if each.id == turn), None)
        if found is None:
            raise ValueError(f"the id of a turn expected, got {turn!r:.60}")
        return found

    def _say_of(self, speaker: str, fields: Mapping[str, str | None]) -> None:
        said = self._replica.register("speakers").get(speaker)
        with self._edit():
            self._replica.put(
                "speakers", speaker, {**(said if isinstance(said, dict) else {}), **fields}
            )

    def _suggestion(self, name: str) -> Suggestion:
        found = next((each for each in self.suggestions if each.id == name), None)
        if found is None:
            raise ValueError(f"the id of an open suggestion expected, got {name!r:.60}")
        return found

    def _names(self) -> dict[str, str]:
        return {speaker.id: speaker.name for speaker in self.speakers}

    def _read(self, part: Part) -> Change:
        match part:
            case Part.TITLE:
                return TitleChanged(self.title)
            case Part.SPEAKERS:
                return SpeakersChanged(self.speakers)
            case Part.TURNS:
                return TurnsChanged(self.turns)
            case Part.NOTES:
                return NotesChanged(self.notes)
            case Part.PEOPLE:
                return PeopleChanged(self.people)
            case Part.SUGGESTIONS:
                return SuggestionsChanged(self.suggestions)
            case Part.PARTIALS:
                return PartialsChanged(self.partials)
            case _:
                assert_never(part)

    def _stop(self) -> None:
        self._live.stop()
        self._audience.tell(frozenset())

    def _ended(self) -> bool:
        """Return whether nothing changes any more.

        Raises:
            TraxError: Why, if it was not closed.
        """
        if self._carrier.done() and not self._carrier.cancelled():
            failure = self._carrier.exception()
            assert failure is not None, "it ends by failing or by being cancelled"
            raise failure
        return self._carrier.done()


@asynccontextmanager
async def open_transcript(
    transcript: str,
    url: str | None = None,
    token: str | None = None,
    *,
    reconnect: Reconnect | None = None,
) -> AsyncIterator[SharedTranscript]:
    """Open a shared transcript; leaving the context saves what was written, and closes it.

    Once open, it survives lost connections and restarts of the server: it connects again by
    itself, for as long as `reconnect` says, and what was written meanwhile on both sides is
    merged. What `undo` takes back begins anew in the one case that another connection turned out
    to write under the same Yjs client id.

    Args:
        transcript: Its id.
        url: Where the server is, as for `connect`.
        token: Default: the URL's `?token=`, else `TRAX_TOKEN`.
        reconnect: How to connect again; `give_up_s` of `None` means never to give up.

    Raises:
        ValueError: On a URL that is none.
        ServerUnreachable: There is no connection. One attempt is made: nothing is lost yet.
        NotFound: There is no such transcript.
        SessionError: The server refuses otherwise.
        NotSaved: On leaving: the server cannot be reached, and may lack something.
    """
    address = find_address(url, token, os.environ).sync(transcript)
    patience, audience = reconnect or Reconnect(), Audience()
    replication = Replication(address, Replica(audience.tell), patience)
    await replication.open()
    opened = SharedTranscript(transcript, replication, audience)
    try:
        yield opened
        await _leave(opened, replication, patience.handshake_s)
    finally:
        await opened.close()


async def _leave(opened: SharedTranscript, replication: Replication, patience_s: float) -> None:
    """Have saved what was written last."""
    if replication.unconfirmed == 0:
        return
    try:
        async with asyncio.timeout(patience_s):
            await opened.saved()
    except TimeoutError:
        raise NotSaved(replication.unconfirmed) from None
