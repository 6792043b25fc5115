"""What accurate passes heard, taken into the documents that people edit meanwhile.

    Jobs.heard -> words of a new pass -> portions -> plans -> Room, portion by portion -> applied

Whoever dies in the middle leaves a part of it done: words that are stored are not stored again, and
a portion that was corrected has nothing more to be corrected. A portion in which somebody's cursor
is where something is to be changed waits until it is elsewhere, though not for ever.

Several servers may share a database, and only one at a time writes to a transcript. What was heard
is written by the one that has it open, or else by one that takes it away from nobody; if none does
so in time, by whoever comes first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from offline.arrangement import arrange, spread
from offline.belief import Belief, Beliefs
from offline.casting import cast
from offline.domain import PassId, Segment, SpeakerId, WordRef
from offline.edits import Plan
from offline.jobs import Failure, FailureCode, Job, JobKind
from offline.portions import portions
from offline.reconcile import Portion, correct
from offline.results import HeardWord, Hearing
from offline.review import review
from offline.view import View
from server.errors import Occupied, RoomClosed, TranscriptError
from server.jobs import Jobs
from server.machine import Planned
from server.recordings import unix_ms
from server.room import Room
from server.rooms import Rooms
from server.settling import settling
from server.storage.errors import StaleWriter, StorageError, UnknownJob, UnknownTranscript
from server.storage.store import Store
from server.storage.values import Session, WordChunk
from server.store_threads import StoreThreads
from streaming.core.domain import from_ms

logger = logging.getLogger(__name__)

AT_ONCE = 4
"""Transcripts that are corrected at the same time; one thread plans for all of them."""

MOST_BEGUN = 64
"""Transcripts whose correction has begun, most of which wait for cursors to go elsewhere."""

WORDS_AT_ONCE = 2_000
"""Words of a pass that are stored in one step: more would keep other transcripts waiting."""

LOOK_AGAIN_S = 3.0
MOST_LOOKS = 20
"""How often, and how many times, it is looked whether cursors went elsewhere: for a minute."""

RETRY_S = 2.0
UNREADABLE_S = 60.0
LONGEST_RETRY_S = 3600.0
"""How long a transcript is left alone that could not be written into, or could not be read: twice
as long each time, as perhaps only a newer server can."""

HOLD_MS = 20_000
RENEW_S = 2.0
"""For how long other servers leave to us what we write, and how often we say so. So soon it is also
known that a job was cancelled."""


@dataclass(frozen=True, slots=True)
class _Pass:
    """A pass on its way into an open room.

    Attributes:
        job: What gave it.
        session: Whose audio it heard.
        hearing: What it heard, on the transcript's clock.
        id: Its name.
        suggests: Whether it is only suggested.
    """

    job: str
    session: Session
    hearing: Hearing
    id: PassId
    suggests: bool

    @property
    def words(self) -> Segment:
        """All its words."""
        return Segment(self.id, 0, len(self.hearing.words))


@dataclass(frozen=True, slots=True)
class _Aside:
    """A transcript that is left alone, on the event loop's clock, and for how long."""

    until_s: float
    pause_s: float


class Corrections:
    """Corrects documents by what jobs heard; one for the whole server, used in its event loop."""

    def __init__(self, store: Store, threads: StoreThreads, rooms: Rooms, jobs: Jobs) -> None:
        self._store = store
        self._threads = threads
        self._rooms = rooms
        self._jobs = jobs
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._aside: dict[str, _Aside] = {}
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to take what is heard."""
        self._running = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Leave what is not done to whoever comes next."""
        tasks = [*self._busy.values(), *(() if self._running is None else (self._running,))]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def take(self, job: Job) -> None:
        """Take what one job heard into its document, and note that it stands there.

        Returns early where the job is cancelled meanwhile.

        Raises:
            RoomClosed: The room was closed meanwhile; to do it again is safe.
            StorageError: Something cannot be read or stored now; likewise.
            TranscriptError: The document cannot be read, or not by this server; likewise.
            UnknownTranscript: It was deleted.
        """
        async with self._slots:
            found = await self._read(job)
        if found is None:
            return
        session, hearing = found
        async with self._rooms.enter(session.transcript) as room:
            closed = asyncio.create_task(self._rooms.closed(session.transcript, room))
            unwanted = asyncio.create_task(self._reserve(job))
            taking = asyncio.create_task(self._take(job, session, hearing, room))
            tasks = {closed, unwanted, taking}
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if taking.done():
                    await taking
                elif closed.done():
                    raise RoomClosed("an open room expected")
            except StaleWriter:
                self._rooms.give_up(session.transcript, room)
                raise
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, job: Job) -> tuple[Session, Hearing] | None:
        """Return what was heard, on the transcript's clock; `None` if there is nothing to do."""
        result = await self._threads.read(lambda: self._store.jobs.result(job.id))
        session = await self._threads.read(lambda: self._store.sessions.find(job.task.session))
        if result is None:
            return None
        try:
            hearing = await asyncio.to_thread(Hearing.decode, result)
        except ValueError as error:
            await self._reject(job, f"a hearing expected: {error}")
            return None
        if session is None or session.transcript != job.task.transcript:
            await self._reject(job, "a session of the transcript expected, got another one")
            return None
        # Of three hours of speech it takes a tenth of a second.
        return session, await asyncio.to_thread(_placed, hearing, session)

    async def _reserve(self, job: Job) -> None:
        """Keep other servers from a job; return when nobody wants it any more."""
        while True:
            with suppress(StorageError):
                reserve = partial(self._store.jobs.reserve, job.id, HOLD_MS)
                if not await self._threads.write(reserve):
                    return
            await asyncio.sleep(RENEW_S)

    async def _run(self) -> None:
        async for job in self._jobs.heard():
            transcript = job.task.transcript
            if transcript in self._busy or len(self._busy) >= MOST_BEGUN:
                continue
            if await self._is_ours(job):
                task = asyncio.create_task(self._see_to(job))
                self._busy[transcript] = task
                task.add_done_callback(partial(self._done, transcript))

    async def _is_ours(self, job: Job) -> bool:
        """Whether to write a job takes its transcript away from no server, or has to."""
        transcript = job.task.transcript
        aside = self._aside.get(transcript)
        if aside is not None and asyncio.get_running_loop().time() < aside.until_s:
            return False
        if self._rooms.present(transcript) is not None:
            return True
        with suppress(StorageError):
            if job.due_ms <= unix_ms() or await self._rooms.undisturbed(transcript):
                # Of servers that come at once, one.
                reserve = partial(self._store.jobs.reserve, job.id, HOLD_MS, due_ms=job.due_ms)
                return await self._threads.write(reserve)
        return False

    def _done(self, transcript: str, _task: asyncio.Task[None]) -> None:
        del self._busy[transcript]

    async def _see_to(self, job: Job) -> None:
        fields = {"job": job.id, "transcript": job.task.transcript}
        try:
            await self.take(job)
            self._aside.pop(job.task.transcript, None)
        except (UnknownTranscript, UnknownJob):
            self._aside.pop(job.task.transcript, None)  # The job went with its transcript.
        except (RoomClosed, StorageError, TranscriptError) as error:
            logger.warning(
                "job not written for now", extra={**fields, "reason": type(error).__name__}
            )
            self._set_aside(job.task.transcript, unreadable=isinstance(error, TranscriptError))
        except Exception:
            logger.exception("job not written", extra=fields)
            await self._reject(job, "a document that can be corrected expected")

    def _set_aside(self, transcript: str, *, unreadable: bool) -> None:
        """Leave a transcript alone for a while."""
        pause_s = RETRY_S
        if unreadable:
            before = self._aside.get(transcript, _Aside(0.0, 0.0)).pause_s
            pause_s = min(LONGEST_RETRY_S, max(UNREADABLE_S, 2 * before))
        until_s = asyncio.get_running_loop().time() + pause_s
        self._aside[transcript] = _Aside(until_s, pause_s)

    async def _reject(self, job: Job, message: str) -> None:
        failure = Failure(FailureCode.REJECTED, message, retry=False)
        try:
            await self._threads.write(lambda: self._store.jobs.reject(job.id, failure))
        except StorageError:
            logger.exception("job not rejected", extra={"job": job.id})

    async def _take(self, job: Job, session: Session, hearing: Hearing, room: Room) -> None:
        async with self._slots:
            taken, said_by = await self._stored(job, session, hearing, room)
        await self._correct(taken, room, said_by)
        if hearing.language is not None and room.transcript.meta("language") is None:
            room.commit(room.transcript.put_meta("language", hearing.language))
        await room.idle()
        lease = self._rooms.lease(session.transcript)
        await self._threads.write(lambda: self._store.passes.close(lease, taken.id))
        await self._threads.write(lambda: self._store.jobs.applied(job.id, taken.id))
        self._jobs.notice()

    async def _stored(
        self, job: Job, session: Session, hearing: Hearing, room: Room
    ) -> tuple[_Pass, dict[WordRef, SpeakerId]]:
        """Store the words of a job; return its pass, and who said them."""
        if job.task.kind is JobKind.UPLOAD:
            lease, length = (
                self._rooms.lease(session.transcript),
                hearing.end_ms - session.offset_ms,
            )
            measure = partial(self._store.sessions.measure, lease, session.id, from_ms(length))
            await self._threads.write(measure)
        taken = await self._begun(job, session, hearing, room)
        stored = room.passes.setdefault(taken.id, [])
        for first in range(len(stored), taken.words.end, WORDS_AT_ONCE):
            some = tuple(heard.word for heard in hearing.words[first : first + WORDS_AT_ONCE])
            await room.machine.write(words=(WordChunk(taken.id, first, some),))
        return taken, await self._said_by(taken, room)

    async def _begun(self, job: Job, session: Session, hearing: Hearing, room: Room) -> _Pass:
        """Return the pass of a job, which is begun once only, unless it heard something else."""
        lease = self._rooms.lease(session.transcript)
        begin = partial(self._store.passes.begin_for, lease, job.id)
        begun = await self._threads.write(begin)
        stored = room.passes.get(begun.id, [])
        if stored != [heard.word for heard in hearing.words[: len(stored)]]:
            begun = await self._threads.write(lambda: begin(afresh=True))
        room.sessions[session.live_pass] = room.sessions[begun.id] = session.id
        if job.task.kind in (JobKind.PASSAGE, JobKind.UPLOAD):
            room.asked_for.add(begun.id)
        return _Pass(job.id, session, hearing, begun.id, job.task.suggests)

    async def _said_by(self, taken: _Pass, room: Room) -> dict[WordRef, SpeakerId]:
        """Return who said the words, as far as voices were told apart."""
        if not taken.hearing.voices:
            return {}
        known = await self._known(taken, room)
        words = taken.hearing.words
        for voice in range(len(taken.hearing.voices)):
            if voice not in known and any(heard.voice == voice for heard in words):
                known[voice] = await self._introduced(taken, room, voice)
        return await asyncio.to_thread(
            lambda: {
                WordRef(taken.id, number): known[heard.voice]
                for number, heard in enumerate(words)
                if heard.voice in known
            }
        )

    async def _known(self, taken: _Pass, room: Room) -> dict[int, SpeakerId]:
        """Return who the voices are that are speakers of the transcript already."""
        session, hearing = taken.session, taken.hearing
        voices = await self._threads.read(lambda: self._store.sessions.voices(session.transcript))
        mine = [voice.speaker for voice in voices if voice.session == session.id]
        if session.person is not None and mine:
            return dict.fromkeys(range(len(hearing.voices)), room.identity(mine[0]))
        prints: dict[SpeakerId, list[bytes]] = {}
        for voice in voices:
            if voice.embedding is not None:
                prints.setdefault(room.identity(voice.speaker), []).append(voice.embedding)
        chosen, passes = room.transcript.chosen_speakers(), await self._passes_of(session)

        return await room.machine.read(
            lambda view: cast(view, passes, chosen, hearing.words, hearing.voices, prints)
        )

    async def _introduced(self, taken: _Pass, room: Room, voice: int) -> SpeakerId:
        """Return the new speaker that a voice is."""
        lease, session = self._rooms.lease(taken.session.transcript), taken.session.id
        added = await self._threads.write(
            lambda: self._store.sessions.add_voice(lease, session, f"{taken.id}.{voice}")
        )
        speaker = room.identity(added.speaker)
        if not room.transcript.has_speaker(speaker):
            name = f"Speaker {speaker.removeprefix('s')}"
            room.commit(room.transcript.propose_name(speaker, name))
        return speaker

    async def _passes_of(self, session: Session) -> set[PassId]:
        passes = await self._threads.read(lambda: self._store.passes.of(session.transcript))
        return {each.id for each in passes if each.session == session.id}

    async def _correct(self, taken: _Pass, room: Room, said_by: dict[WordRef, SpeakerId]) -> None:
        """Correct portion by portion; those with cursors in the way come last."""
        live = taken.session.live_pass
        beliefs = Beliefs(live)

        def believed(view: View) -> Belief:
            return beliefs.of(len(view.passes.get(live, ())), view.history.decisions)

        async def corrected(portion: Portion, look: int) -> bool:
            """Correct one portion, unless it is occupied."""
            shown = room.shown() if look < MOST_LOOKS else ()
            settled = settling(room, taken.session.id, (portion.start_ms, portion.end_ms))
            plans = _plans(believed, portion, said_by, settled, suggests=taken.suggests)
            with suppress(Occupied):
                await room.machine.write(*plans, apart_from=shown)
                return True
            return False

        def cut(view: View) -> list[Portion]:
            span = taken.hearing.start_ms, taken.hearing.end_ms
            return portions(view, believed(view), taken.words, *span)

        async with self._slots:
            waiting = await room.machine.read(cut)
        for look in range(MOST_LOOKS + 1):
            async with self._slots:
                occupied: list[Portion] = []
                for portion in waiting:
                    if not await corrected(portion, look):
                        occupied.append(portion)
                    await room.roomy()
            if not occupied:
                return
            waiting = occupied
            await asyncio.sleep(LOOK_AGAIN_S)  # others are corrected meanwhile


def _placed(hearing: Hearing, session: Session) -> Hearing:
    """Return a hearing on the clock of the transcript."""
    offset_ms = session.offset_ms

    def placed(heard: HeardWord) -> HeardWord:
        word = heard.word
        start_ms, end_ms = word.start_ms + offset_ms, word.end_ms + offset_ms
        return HeardWord(replace(word, start_ms=start_ms, end_ms=end_ms), heard.voice)

    return replace(
        hearing,
        start_ms=hearing.start_ms + offset_ms,
        end_ms=hearing.end_ms + offset_ms,
        words=tuple(map(placed, hearing.words)),
    )


def _plans(
    believed: Callable[[View], Belief],
    portion: Portion,
    said_by: dict[WordRef, SpeakerId],
    settled: Sequence[Planned],
    *,
    suggests: bool,
) -> Sequence[Planned]:
    """Return what corrects one portion: its words, then its turns, then suggestions about it."""
    numbers = range(portion.new.first, portion.new.end)
    refs = [WordRef(portion.new.pass_id, number) for number in numbers]
    speakers = {ref: said_by[ref] for ref in refs if ref in said_by}

    def corrected(view: View) -> Plan:
        return correct(view, believed(view), portion, speakers, suggests=suggests)

    def arranged(view: View) -> Plan:
        return Plan(tuple(arrange(view, spread(view, speakers))))

    def reviewed(view: View) -> Plan:
        span = portion.start_ms, portion.end_ms
        return Plan(tuple(review(view, believed(view), *span)))

    arranging = (arranged,) if speakers and not suggests else ()
    return (corrected, *settled, *arranging, reviewed)
