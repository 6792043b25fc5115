"""How soon stretches of a meeting are corrected while it goes on, and what that costs the meeting.

    round 1   a server with the usual passes           somebody speaks, an editor looks
    round 2   a server without passes of workers       the same, and so on by turns

Rounds alternate, so that whatever else the machine does concerns both kinds of them alike. A
stretch counts as corrected when the last of what its pass writes has come to the editor.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.distribution import Distribution
from loadtest.editors_documents import database
from loadtest.editors_link import EMPTY_STATE, NOTHING, linked
from loadtest.measured_server import running_server
from loadtest.recordings import Recording
from loadtest.speaker import Speaker
from loadtest.tasks import grouped
from offline.jobs import Job, JobKind
from server.storage.store import Store
from server.yjs import messages
from trax_client import Final, Session, connect

SEGMENT = re.compile(rb'"([0-9A-Za-z-]+):[0-9]+:[0-9]+"')
"""A machine's segment, as it stands in updates: the attribute of the text that it wrote."""

NO_WORKERS = '[[stage]]\nname = "utterance"\nwhen = "utterance"\n'
"""Passes with nothing for workers to do."""

CORRECTED_S = 60.0
"""What is not corrected so long after the speaker ended never is."""

POLL_S = 0.5

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What became of one stretch of a session; seconds count from its end, as it was spoken.

    Attributes:
        start_ms: On the session's clock.
        end_ms: Likewise.
        submitted_s: When it was a job.
        begun_s: When a worker began with it; `None` if none did.
        corrected_s: When an editor had it; `None` if it did not come.
        changed: Whether there was anything to correct.
    """

    start_ms: int
    end_ms: int
    submitted_s: float
    begun_s: float | None
    corrected_s: float | None
    changed: bool


@dataclass(frozen=True, slots=True)
class Round:
    """One session.

    Attributes:
        accurate: Whether workers heard it again meanwhile.
        final_s: From the end of each word, as the recognizer says, to its final.
        stretches: Those that were heard again.
    """

    accurate: bool
    final_s: tuple[float, ...]
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class StretchesReport:
    """What came of all rounds.

    Attributes:
        rounds: In the order in which they were.
        seconds: How long each was.
    """

    seconds: float
    rounds: tuple[Round, ...]

    def final_s(self, *, accurate: bool) -> Distribution | None:
        """Return how long finals took, with or without workers."""
        return Distribution.of(
            each for one in self.rounds if one.accurate is accurate for each in one.final_s
        )

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The stretches of all rounds."""
        return tuple(stretch for one in self.rounds for stretch in one.stretches)

    @property
    def corrected_s(self) -> Distribution | None:
        """From the ends of stretches to their corrections in the editor's document."""
        took = (stretch.corrected_s for stretch in self.stretches)
        return Distribution.of(each for each in took if each is not None)

    @property
    def uncorrected(self) -> int:
        """Stretches that were never corrected."""
        return sum(stretch.corrected_s is None for stretch in self.stretches)


@dataclass
class _Watch:
    """What came, and when, by the clock of the event loop; owned by one round."""

    began_s: float = 0.0
    final_s: list[float] = field(default_factory=list)
    segments_s: dict[str, float] = field(default_factory=dict)
    """The last moment at which something of a pass came, by the pass's name."""

    async def listen(self, session: Session) -> None:
        """Note when finals come, until cancelled."""
        clock = asyncio.get_running_loop().time
        async for event in session:
            if isinstance(event, Final):
                now_s = clock() - self.began_s
                self.final_s += [now_s - word.end_ms / 1000 for word in event.words]

    async def look(self, server_url: str, transcript: str, there: asyncio.Event) -> None:
        """Note when segments come to an editor, until cancelled."""
        clock = asyncio.get_running_loop().time
        async with linked(server_url, transcript) as link:
            await link.send(messages.SyncStep1(EMPTY_STATE))
            async for message in link.received():
                match message:
                    case messages.SyncStep1():
                        await link.send(messages.SyncStep2(NOTHING))
                    case messages.SyncStep2():
                        there.set()
                    case messages.Update(update=update):
                        for name in SEGMENT.findall(update):
                            self.segments_s[name.decode()] = clock()
                    case _:
                        pass


async def measure_stretches(
    talk: Recording, rounds: int, seconds: float, flags: Sequence[str], tell: Tell
) -> StretchesReport:
    """Let somebody speak, by turns with and without workers that hear it again.

    Args:
        talk: What is said; at least `seconds` of it.
        rounds: How many of each kind.
        seconds: How long each is.
        flags: Of `trax serve`.
        tell: Told of progress.

    Raises:
        LoadtestError: A server did not start.
        TraxError: A session failed.
    """
    done: list[Round] = []
    for number in range(2 * rounds):
        accurate = number % 2 == 0
        tell(f"round {number + 1} of {2 * rounds}, {seconds:g} s ...")
        done.append(await _round(talk, seconds, flags, accurate=accurate))
    return StretchesReport(seconds, tuple(done))


async def _round(talk: Recording, seconds: float, flags: Sequence[str], *, accurate: bool) -> Round:
    watch, clock = _Watch(), asyncio.get_running_loop().time
    with tempfile.TemporaryDirectory(prefix="trax-loadtest-") as name:
        folder = Path(name)
        options = [*flags, "--data-dir", str(folder)]
        if not accurate:
            (folder / "passes.toml").write_text(NO_WORKERS, encoding="utf-8")
            options += ["--passes", str(folder / "passes.toml")]
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(running_server(options))
            session = await stack.enter_async_context(
                connect(server.url, transcript="new", language="en")
            )
            transcript = session.transcript
            assert transcript is not None, "a new one was asked for"
            group = await stack.enter_async_context(grouped())
            there = asyncio.Event()
            looking = group.create_task(watch.look(server.url, transcript, there))
            await there.wait()
            watch.began_s, began_unix_s = clock(), time.time()
            listening = group.create_task(watch.listen(session))
            speaking = group.create_task(Speaker(session).speak(talk.audio))
            await asyncio.sleep(seconds)
            speaking.cancel()
            await asyncio.wait([speaking])
            jobs = await _stretches(folder, transcript)
            await session.end()
            await listening
            looking.cancel()
        to_unix_s = began_unix_s - watch.began_s
        arrivals_s = {each: at_s + to_unix_s for each, at_s in watch.segments_s.items()}
    stretches = [_stretch(job, began_unix_s, arrivals_s) for job in jobs]
    return Round(accurate, tuple(watch.final_s), tuple(stretches))


async def _stretches(folder: Path, transcript: str) -> list[Job]:
    """Wait until all stretches that are jobs by now are corrected; return them.

    The session is not over yet, or what hears the whole of it would come in between.
    """

    def jobs(store: Store) -> list[Job]:
        page = store.jobs.page(transcript=transcript, limit=100)
        return [job for job in page.jobs if job.task.kind is JobKind.STRETCH]

    with Store(database(folder)) as store:
        with suppress(TimeoutError):
            async with asyncio.timeout(CORRECTED_S):
                while not all(job.state.over for job in await asyncio.to_thread(jobs, store)):  # noqa: ASYNC110
                    await asyncio.sleep(POLL_S)
        await asyncio.sleep(POLL_S)  # What was just written is on its way to the editor.
        return await asyncio.to_thread(jobs, store)


def _stretch(job: Job, began_s: float, arrivals_s: dict[str, float]) -> Stretch:
    """Tell what became of a stretch; all moments in Unix time."""
    task = job.task
    assert task.end_ms is not None, "a stretch has an end"
    ended_s = began_s + task.end_ms / 1000
    arrived_s = None if job.pass_id is None else arrivals_s.get(job.pass_id)
    finished_s = None if job.finished_ms is None else job.finished_ms / 1000
    came_s = finished_s if arrived_s is None else arrived_s
    return Stretch(
        start_ms=task.start_ms,
        end_ms=task.end_ms,
        submitted_s=job.created_ms / 1000 - ended_s,
        begun_s=None if job.started_ms is None else job.started_ms / 1000 - ended_s,
        corrected_s=None if came_s is None or job.failure is not None else came_s - ended_s,
        changed=arrived_s is not None,
    )
