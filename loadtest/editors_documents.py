"""Documents of long meetings, as sessions write them, and how long they take to open."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from loadtest.editors import Spread
from loadtest.editors_lag import LoopLag, lag_watched, own_lag_watched
from loadtest.editors_link import EMPTY_STATE, Link, linked
from loadtest.errors import LoadtestError
from offline.domain import SpeakerId
from server.dictation import Dictation
from server.journal import Entry, LastingEvent
from server.planner import Planner
from server.room import Room
from server.rooms import Rooms
from server.storage.sessions import NewSession
from server.storage.store import Store
from server.store_threads import StoreThreads
from server.transcript import Transcript, make_client_id
from server.yjs import messages
from streaming.core.domain import Permille, Samples, Span, Speaker, UtteranceId, Word, from_ms
from streaming.core.events import Correction, Final, SpeechStarted, UtteranceEnded

WORDS_AN_HOUR = 9000
"""150 a minute."""

WORD_MS = 60 * 60 * 1000 // WORDS_AN_HOUR
WORDS_AN_UTTERANCE = 15
"""Each is one final, as with `finals: utterance`. With finals of three words, writing three hours
takes more than ten minutes."""

UTTERANCES_A_CORRECTION = 2
"""The utterance pass changes something in every second utterance."""

DESCRIBED = 20
"""How often it is tried how long that takes."""

MOST_BYTES = 64 * 1024 * 1024
OPEN_S = 60.0

_SYLLABLES = (
    "so",
    "he",
    "re",
    "is",
    "the",
    "new",
    "plan",
    "that",
    "no",
    "bo",
    "dy",
    "has",
    "seen",
    "be",
)
VOCABULARY = tuple(first + second for first in _SYLLABLES for second in ("", *_SYLLABLES))
"""Words of which none follows another again and again, as people speak."""
_SPEAKERS = tuple(Speaker(f"S{number}") for number in range(1, 5))


@dataclass(frozen=True, slots=True)
class Meeting:
    """A document that was written.

    Attributes:
        transcript: Its id.
        hours: How long was spoken.
        words: How many were.
        writing_ms: How long the last finals and corrections took until they were on their way to
            the storage, a tenth of them all: it grows with the document.
        held_ms: How late the event loop was meanwhile, asked a thousand times a second.
        describing_ms: How long it holds the loop to say what lists and searches are to know.
    """

    transcript: str
    hours: float
    words: int
    writing_ms: Spread | None
    held_ms: Spread | None
    describing_ms: Spread | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """How a document opened.

    Attributes:
        meeting: What was opened.
        update_bytes: What an editor is sent.
        first_s: From connecting to having it, for the first editor: the server reads it first.
        next_s: The same for the next editor, while the first is there.
        lag: Of the server meanwhile.
    """

    meeting: Meeting
    update_bytes: int
    first_s: float
    next_s: float
    lag: LoopLag


def database(folder: Path) -> str:
    """Return where a server over this data folder keeps its transcripts."""
    return f"sqlite:///{folder / 'transcripts.sqlite'}"


async def write_meetings(folder: Path, hours: Sequence[float]) -> list[Meeting]:
    """Write documents into the data folder of a server that does not run.

    They are written as those of sessions are, final by final. That takes ten seconds for an
    hour and a minute for three: the time for one final grows with the document.
    """
    threads, planner = StoreThreads(), Planner()
    with Store(database(folder)) as store:
        rooms = Rooms(store, threads, planner, transcript_bytes=MOST_BYTES, linger_s=0)
        try:
            return [await _write(store, rooms, each) for each in hours]
        finally:
            await rooms.aclose()
            planner.close()
            threads.close()


async def _write(store: Store, rooms: Rooms, hours: float) -> Meeting:
    transcript, name = secrets.token_urlsafe(12), secrets.token_hex(8)
    words = round(hours * WORDS_AN_HOUR)
    store.library.create(transcript, started_ms=0, title=f"{hours:g} h", language="en")
    async with rooms.enter(transcript) as room:
        session = store.sessions.add(rooms.lease(transcript), NewSession(name, offset_ms=0))
        voices: dict[str, SpeakerId] = {
            speaker: store.sessions.add_voice(rooms.lease(transcript), name, speaker).speaker
            for speaker in _SPEAKERS
        }
        dictation = Dictation(room, session, voices)
        events = list(_events(words))
        last = len(events) // 10
        for event in events[:-last]:
            await _take(dictation, event, words)
        writing_ms: list[float] = []
        held_ms: list[float] = []
        async with own_lag_watched(held_ms):
            for event in events[-last:]:
                began_s = time.perf_counter()
                await _take(dictation, event, words)
                if isinstance(event, Final | Correction):
                    writing_ms.append(1000 * (time.perf_counter() - began_s))
        await room.idle()
        describing = Spread.of([_describing_ms(room, number) for number in range(DESCRIBED)])
    return Meeting(transcript, hours, words, Spread.of(writing_ms), Spread.of(held_ms), describing)


def _describing_ms(room: Room, number: int) -> float:
    room.commit(room.transcript.put_meta("title", f"{number}"))  # It is never read twice.
    began_s = time.perf_counter()
    room.describe()
    return 1000 * (time.perf_counter() - began_s)


async def _take(dictation: Dictation, event: LastingEvent, words: int) -> None:
    await dictation.take(Entry(dictation.seq + 1, event), from_ms(words * WORD_MS))


def _events(count: int) -> Iterator[LastingEvent]:
    """Yield what a session hears of so many words, one speaker after the other."""
    texts = random.Random(count).choices(VOCABULARY, k=count)
    size = WORDS_AN_UTTERANCE
    for number, first in enumerate(range(0, count, size)):
        utterance, speaker = UtteranceId(number), _SPEAKERS[number % len(_SPEAKERS)]
        said = [
            _word(first + n, text, speaker) for n, text in enumerate(texts[first : first + size])
        ]
        span = Span(said[0].span.start, said[-1].span.end)
        yield SpeechStarted(utterance, span.start)
        yield Final(utterance, tuple(said))
        yield UtteranceEnded(utterance, span)
        if number % UTTERANCES_A_CORRECTION == 0:
            better = _word(first, "now", speaker)
            yield Correction(utterance, span, (better, *said[1:]))


def _word(number: int, text: str, speaker: Speaker) -> Word:
    start: Samples = from_ms(number * WORD_MS)
    return Word(f" {text}", Span(start, from_ms((number + 1) * WORD_MS)), Permille(900), speaker)


async def measure_opening(server_url: str, meeting: Meeting) -> Opening:
    """Open a document twice, the second time while it is open.

    Raises:
        LoadtestError: It did not come, or not whole.
    """
    lags: list[LoopLag] = []
    clock = asyncio.get_running_loop().time
    async with lag_watched(server_url, lags.append):
        began_s = clock()
        async with linked(server_url, meeting.transcript) as first:
            await content(first)
            first_s, began_s = clock() - began_s, clock()
            async with linked(server_url, meeting.transcript) as second:
                update = await content(second)
                next_s = clock() - began_s
    words = len(Transcript(make_client_id(), [update]).text.split())
    if words != meeting.words:
        raise LoadtestError(f"{meeting.words} words expected, got {words}")
    return Opening(meeting, len(update), first_s, next_s, lags[0])


async def content(link: Link) -> bytes:
    """Ask for everything; return it as an update.

    Raises:
        LoadtestError: It did not come.
    """
    with suppress(ConnectionClosed, TimeoutError):
        async with asyncio.timeout(OPEN_S):
            await link.send(messages.SyncStep1(EMPTY_STATE))
            async for message in link.received():
                if isinstance(message, messages.SyncStep2):
                    return message.update
    raise LoadtestError("a document expected, got none")
