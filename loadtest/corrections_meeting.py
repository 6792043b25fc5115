"""A long document that is corrected as a whole, while people type into it and their cursors stand.

What an accurate pass hears is made up: the words of the live pass, but every so many otherwise. It
is put where a worker puts it, and the server does with it what it does with any hearing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from loadtest.editors import EditingReport, Typing, measure_editing
from loadtest.editors_documents import Meeting, database
from loadtest.editors_lag import LoopLag, lag_watched
from loadtest.errors import LoadtestError
from loadtest.node_scripts import FOLDER, NodeScript, running_script
from loadtest.tasks import grouped
from offline.decisions import Hunk, Outcome
from offline.domain import PassWord
from offline.jobs import JobKind, JobState, Task
from offline.results import HeardWord, Hearing
from server.storage.jobs import Bounds, NewJob
from server.storage.store import Store

EVERY = 10
"""So many words are heard as before, and then one otherwise."""

OTHERWISE = " otherwise"

CURSORS = 300

EDITORS = 2

APPLIED_S = 300.0
HOLD_MS = 60_000
POLL_S = 0.2

Place = tuple[int, int]
"""How many words stand before a cursor, and how much of its word."""


@dataclass(frozen=True, slots=True)
class MeetingReport:
    """What came of it.

    Attributes:
        hours: How long was spoken.
        words: How many were.
        heard_otherwise: How many the accurate pass heard otherwise.
        applied: Corrections that are in the text.
        applied_s: From when they were heard to when all were applied.
        editing: How edits fared while people typed, which is as long as they were told to.
        lag: Of the server's loop until all was applied.
        cursors: How many cursors stood in the document.
        moved: Of them, how many stand elsewhere than before; in a word that was replaced, anywhere
            but in the word that stands there now.
    """

    hours: float
    words: int
    heard_otherwise: int
    applied: int
    applied_s: float
    editing: EditingReport
    lag: LoopLag
    cursors: int
    moved: int


async def measure_meeting(
    server_url: str, folder: Path, meeting: Meeting, seconds: float
) -> MeetingReport:
    """Have a document corrected that others have open.

    Args:
        server_url: Of a server over `folder`.
        folder: Where the document is.
        meeting: The document.
        seconds: For how long people type, from before the corrections come.

    Raises:
        LoadtestError: It was not corrected, or an editor could not come in.
    """
    clock = asyncio.get_running_loop().time
    lags: list[LoopLag] = []
    with Store(database(folder)) as store:
        async with AsyncExitStack() as stack:
            cursors = await stack.enter_async_context(_cursors(server_url, meeting.transcript))
            before = _places(await cursors.line())
            group = await stack.enter_async_context(grouped())
            pace = Typing(seconds, edits_per_s=5.0)
            typing = group.create_task(
                measure_editing(server_url, meeting.transcript, EDITORS, pace)
            )
            await asyncio.sleep(1)
            await stack.enter_async_context(lag_watched(server_url, lags.append))
            before_all = len(store.merges.all_decisions(meeting.transcript))
            heard_s = clock()
            hearing = await correct_whole(store, meeting)
            applied_s = clock() - heard_s
            editing = await typing
            after = _places(await cursors.ask())
        decisions = store.merges.all_decisions(meeting.transcript)
    otherwise = {n for n, word in enumerate(hearing.words) if word.word.text == OTHERWISE}
    return MeetingReport(
        hours=meeting.hours,
        words=meeting.words,
        heard_otherwise=len(otherwise),
        applied=sum(each.outcome is Outcome.APPLIED for each in decisions) - before_all,
        applied_s=applied_s,
        editing=editing,
        lag=lags[0],
        cursors=len(before),
        moved=count_moved(before, after, otherwise),
    )


async def correct_whole(store: Store, meeting: Meeting) -> Hearing:
    """Have a document corrected as a whole; return what was heard, when it stands there.

    Args:
        store: Of a server that runs.
        meeting: The document.

    Raises:
        LoadtestError: It was not corrected.
    """
    hearing = await asyncio.to_thread(_hearing, store, meeting)
    await _applied(store, await asyncio.to_thread(_submit, store, meeting, hearing))
    return hearing


def count_moved(before: Sequence[Place], after: Sequence[Place], replaced: set[int]) -> int:
    """Return how many cursors moved.

    Args:
        before: Where they were.
        after: Where they are.
        replaced: Words in whose place others stand now.
    """
    return sum(
        not _stays(was, now, in_replaced=_word(was) in replaced)
        for was, now in zip(before, after, strict=True)
    )


def _word(place: Place) -> int:
    """Return in, or before, which word a place is."""
    words, inside = place
    return words - 1 if inside else words


def _stays(was: Place, now: Place, *, in_replaced: bool) -> bool:
    # At the end of the word before is where a cursor goes whose word is gone with its space.
    return _word(now) in (_word(was) - 1, _word(was), _word(was) + 1) if in_replaced else was == now


def _hearing(store: Store, meeting: Meeting) -> Hearing:
    session, *_ = store.sessions.of(meeting.transcript)  # Others came after it.
    live, again = session.live_pass, session.utterance_pass
    passes = store.passes.words(meeting.transcript, (live, again))
    said = list(passes[live])
    for decision in store.merges.all_decisions(meeting.transcript):
        hunk = Hunk.parse(decision.hunk)
        assert hunk is not None, "the server wrote it"
        for old, new in zip(hunk.old, passes[again][hunk.new.first : hunk.new.end], strict=True):
            said[old.word] = replace(said[old.word], text=new.text)
    words = tuple(HeardWord(_heard(number, word)) for number, word in enumerate(said))
    return Hearing(0, said[-1].end_ms, words, language="en")


def _heard(number: int, word: PassWord) -> PassWord:
    return replace(word, text=OTHERWISE) if number % EVERY == EVERY - 1 else word


def _submit(store: Store, meeting: Meeting, hearing: Hearing) -> str:
    """Make a job that is heard already; return its id."""
    session, *_ = store.sessions.of(meeting.transcript)  # Others came after it.
    task = Task(JobKind.RECORDING, meeting.transcript, session.id, 0, hearing.end_ms)
    job = store.jobs.submit(NewJob(task), Bounds(transcript=10, all=10))
    claim = store.claims.take("loadtest", HOLD_MS)
    if claim is None or claim.job != job.id or not store.claims.finish(claim, hearing.encode()):
        raise LoadtestError("a job of one's own expected, got that somebody else had it")
    return job.id


async def _applied(store: Store, job: str) -> None:
    try:
        async with asyncio.timeout(APPLIED_S):
            found = store.jobs.get(job)
            while not found.state.over:
                await asyncio.sleep(POLL_S)
                found = await asyncio.to_thread(store.jobs.get, job)
    except TimeoutError as error:
        raise LoadtestError(f"corrections expected within {APPLIED_S:g} s, got none") from error
    if found.state is not JobState.DONE:
        raise LoadtestError(f"corrections expected to be applied, got {found.failure}")


def _cursors(server_url: str, transcript: str) -> AbstractAsyncContextManager[NodeScript]:
    parts = urlsplit(server_url)
    order = {
        "url": f"ws://{parts.netloc}/v1/transcripts",
        "token": parse_qs(parts.query)["token"][0],
        "transcript": transcript,
        "cursors": CURSORS,
    }
    return running_script(FOLDER / "cursors.js", json.dumps(order))


def _places(line: str) -> list[Place]:
    return [(words, inside) for words, inside in json.loads(line)]
