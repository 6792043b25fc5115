"""Recordings that are sent as files: received, looked into, and made sessions of a transcript.

    body -> file on disk -> examined in a process of its own -> session and job, in one step
                                                             -> worker: audio.pcm, then words

Whoever sends a file learns at once whether it is a recording. Until its session is in the database,
nothing of it lasts: a client or a server that goes away in the midst leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from weakref import WeakValueDictionary

from offline.jobs import Job, JobState
from server.auth import fingerprint, make_token
from server.codes import ErrorCode
from server.disk import Disk
from server.errors import Overload, TranscriptClosed, UploadError, UploadFault
from server.jobs import Jobs
from server.messages import AUTO_LANGUAGE, Encoding, Finals
from server.recordings import SAMPLE_BYTES, Manifest, unix_ms
from server.rooms import Rooms
from server.storage.errors import (
    Conflict,
    StaleWriter,
    StorageError,
    UnknownJob,
    UnknownTranscript,
)
from server.storage.sessions import NewSession
from server.storage.store import Store
from server.storage.uploads import NewUpload, Upload, Wishes
from server.storage.values import TranscriptState
from server.store_threads import StoreThreads
from server.terms import Terms
from server.unpacking import Examined, Unpacked, examine
from server.upload_files import Incoming, UploadFiles
from server.upload_pace import in_time
from streaming.core.domain import SAMPLE_RATE, Samples, to_ms

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 8
"""Files that are received at the same time; the next one is told to come later."""

MOST_IN_TRANSCRIPT = 4
"""Of these, into one transcript: whoever comes by a link does not keep the others waiting."""

RETRY_AFTER_MS = 10_000

_IN_VAIN = (JobState.CANCELLED, JobState.FAILED)

EXAMINERS = 4
"""Threads that wait for decoders to look into files: these compute, and take memory."""

SETTLE_S = 600.0
"""How often files are looked for of which only the database knows whether they were taken, and how
long that has to be so: no write waits so long."""

WRITE_BYTES = 1024 * 1024
"""Written at once: a thread for each packet of the network would cost more than the writing."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How much one file may hold.

    Attributes:
        size_bytes: Of the file.
        length: Of the recording.
    """

    size_bytes: int
    length: Samples


@dataclass(frozen=True, slots=True)
class UploadWish:
    """What is said of a file that is sent.

    Attributes:
        name: Of the file, if told.
        key: What its sender calls this request, if anything.
        at_ms: Where on the transcript's clock it begins; `None`: behind all that is there.
        wishes: How it is to be heard.
    """

    name: str | None
    key: str | None
    at_ms: int | None
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file that was sent.

    Attributes:
        job: What hears it.
        new: Whether a job was made for it now.
    """

    job: Job
    new: bool


@dataclass(frozen=True, slots=True)
class UploadSpace:
    """Where files are received, and the threads that wait for it."""

    files: UploadFiles
    disk: Disk


class Uploads:
    """Receives the files of one server; used in its event loop."""

    def __init__(
        self,
        store: Store,
        threads: StoreThreads,
        rooms: Rooms,
        jobs: Jobs,
        space: UploadSpace,
        limits: UploadLimits,
    ) -> None:
        self._store = store
        self._threads = threads
        self._disk = space.disk
        self._rooms = rooms
        self._jobs = jobs
        self._files = space.files
        self._limits = limits
        self._examining = ThreadPoolExecutor(EXAMINERS, thread_name_prefix="examining")
        self._receiving: Counter[str] = Counter()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def start(self) -> None:
        """Remove what an earlier process was receiving when it ended.

        Raises:
            StorageError: It cannot be known now what that is.
        """
        removed = await self._disk.run(self._files.sweep)
        removed += await self._threads.read(lambda: self._settle(0.0))
        if removed:
            logger.info("unfinished uploads removed", extra={"files": removed})

    async def look_after(self) -> None:
        """Find out now and then what became of files where that is not known, until cancelled."""
        while True:
            await asyncio.sleep(SETTLE_S)
            try:
                removed = await self._threads.read(lambda: self._settle(SETTLE_S))
            except (StorageError, OSError):
                logger.exception("uploads not looked after")
            else:
                if removed:
                    logger.info("unfinished uploads removed", extra={"files": removed})

    def close(self) -> None:
        """Finish looking into files; blocks for that long."""
        self._examining.shutdown(cancel_futures=True)

    def _settle(self, for_s: float) -> int:
        """Remove files that were kept when their sessions did not come about, in a thread.

        Only of these is it known that no other database has them.
        """
        removed = 0
        for session in self._files.unconfirmed(for_s):
            if self._store.sessions.find(session) is None:
                self._files.remove(session)
                removed += 1
            else:
                self._files.confirm(session)
        return removed

    async def take(
        self, transcript: str, body: AsyncIterator[bytes], wish: UploadWish, said_bytes: int | None
    ) -> Taken:
        """Receive a file and have it heard, unless that was done before.

        Args:
            transcript: Where to.
            body: The file.
            wish: What is said of it.
            said_bytes: How long the sender says that it is, if it does.

        Raises:
            UnknownTranscript: There is no such transcript.
            TranscriptClosed: It takes no more recordings.
            UploadError: The file is too large or too slow, or there is no room for it.
            MediaError: It is no recording, or too long.
            DecoderLost: That cannot be known now.
            Overload: Too much is sent at once, or waits to be heard.
            StorageError: It cannot be stored now.
            OSError: The file system refuses.
        """
        await self._check_open(transcript)
        if said_bytes is not None and said_bytes > self._limits.size_bytes:
            raise self._too_large(said_bytes)
        with self._counted(transcript):
            incoming = await self._disk.run(self._files.begin)
            try:
                await self._receive(incoming, body, said_bytes)
                return await self._keep(transcript, incoming, wish)
            finally:
                await self._disk.run(incoming.close)

    def unpacked(self, session: str) -> Unpacked | None:
        """Return what became of the file of a session, if anything did yet. Blocks."""
        return self._files.unpacked(session)

    @contextmanager
    def _counted(self, transcript: str) -> Iterator[None]:
        """Count a file while it is received, if it may be."""
        for receiving, most, where in (
            (self._receiving.total(), MOST_AT_ONCE, "this server"),
            (self._receiving[transcript], MOST_IN_TRANSCRIPT, "this transcript"),
        ):
            if receiving >= most:
                raise Overload(
                    ErrorCode.OVERLOADED,
                    "Too many files are being sent",
                    expected=f"at most {most} at once to {where}",
                    got="another one",
                    retry_after_ms=RETRY_AFTER_MS,
                )
        self._receiving[transcript] += 1
        try:
            yield
        finally:
            self._receiving[transcript] -= 1
            self._receiving += Counter()  # without those of which there are none

    async def _check_open(self, transcript: str) -> None:
        about = await self._threads.read(lambda: self._store.library.get(transcript))
        if about.state is TranscriptState.CLOSED:
            raise TranscriptClosed("an open transcript expected")

    async def _receive(
        self, incoming: Incoming, body: AsyncIterator[bytes], said_bytes: int | None
    ) -> None:
        """Write a file to the disk as it comes."""
        if said_bytes is not None:
            await self._disk.run(lambda: incoming.reserve(said_bytes))
        gathered = bytearray()
        async for piece in in_time(body):
            if incoming.size_bytes + len(gathered) + len(piece) > self._limits.size_bytes:
                raise self._too_large(None)
            gathered += piece
            if len(gathered) >= WRITE_BYTES:
                await self._disk.run(partial(incoming.write, gathered))
                gathered = bytearray()
        await self._disk.run(partial(incoming.write, gathered))

    async def _keep(self, transcript: str, incoming: Incoming, wish: UploadWish) -> Taken:
        """Make what was received a session, unless the transcript has it."""
        # Under the lock: of requests at once for a file whose job came to nothing, one begins it.
        async with self._lock(transcript):
            known = await self._known(transcript, incoming, wish)
        if known is not None:
            return known
        examined = await asyncio.get_running_loop().run_in_executor(
            self._examining, examine, incoming.path, self._limits.length
        )
        if examined.length is not None:
            size_bytes = examined.length * SAMPLE_BYTES
            await self._disk.run(lambda: incoming.reserve(size_bytes))
        async with self._lock(transcript):
            # Twice the same file at once: the second one finds the first.
            known = await self._known(transcript, incoming, wish)
            return known or await self._join(transcript, incoming, wish, examined)

    async def _known(self, transcript: str, incoming: Incoming, wish: UploadWish) -> Taken | None:
        """Return what became of the same file before.

        Where its job came to nothing, another one begins, with what is wished now: the mistake may
        have been in what was wished before. So it does where something else is wished of a file
        that has been heard, but not under a key that stands for another request.
        """
        digest, key = incoming.digest, wish.key
        keyed = None if key is None else await self._under_key(transcript, key, digest, wish.wishes)
        upload = await self._threads.read(lambda: self._store.uploads.find(transcript, digest))
        if upload is None:
            return None
        if wish.at_ms is not None:
            await self._check_place(upload.session, wish.at_ms)
        if keyed is not None:
            return Taken(keyed, new=False)
        job = await self._job(upload.job)
        if job is None or job.state in _IN_VAIN:
            return await self._begin_again(upload, incoming, wish)
        if wish.wishes == Wishes.of(job.task):
            if key is not None:
                await self._threads.write(lambda: self._store.uploads.note_key(upload, key))
            return Taken(job, new=False)
        if not job.state.over:
            expected = f"the same wishes, or job {job.id} to be over or cancelled"
            raise UploadError(UploadFault.BEING_HEARD, expected, "other wishes")
        return await self._begin_again(upload, incoming, wish)

    async def _check_place(self, session: str, at_ms: int) -> None:
        """Refuse to put a file elsewhere than where it is."""
        found = await self._threads.read(lambda: self._store.sessions.find(session))
        if found is not None and found.offset_ms != at_ms:
            raise UploadError(
                UploadFault.ELSEWHERE, f"at_ms={found.offset_ms}, or none", f"at_ms={at_ms}"
            )

    async def _under_key(
        self, transcript: str, key: str, digest: str, wishes: Wishes
    ) -> Job | None:
        """Return the job that a request was answered with before, unless it came to nothing.

        Raises:
            UploadError: The key stands for another request.
        """
        before = await self._threads.read(lambda: self._store.uploads.under(transcript, key))
        if before is None:
            return None
        job = await self._job(before.job)
        if before.digest != digest:
            raise _key_reused("file")
        if job is not None and Wishes.of(job.task) != wishes:
            raise _key_reused("model, language, hotwords and diarization")
        return None if job is None or job.state in _IN_VAIN else job

    async def _job(self, job: str) -> Job | None:
        """Return a job, unless it is long gone."""
        try:
            return await self._jobs.get(job)
        except UnknownJob:
            return None

    async def _begin_again(self, upload: Upload, incoming: Incoming, wish: UploadWish) -> Taken:
        """Have a file heard once more, and with what came now where nothing of it is left."""
        session = upload.session

        def complete() -> None:
            if not self._files.is_here(session):
                self._files.replace(incoming, _manifest(session, upload.transcript, wish))

        await self._disk.run(complete)
        _, job = await self._jobs.submit_with(
            lambda bounds: self._store.uploads.begin_again(upload, wish.wishes, wish.key, bounds)
        )
        return Taken(job, new=True)

    async def _join(
        self, transcript: str, incoming: Incoming, wish: UploadWish, examined: Examined
    ) -> Taken:
        session = secrets.token_hex(8)
        manifest = _manifest(session, transcript, wish)
        async with self._rooms.enter(transcript):
            lease = self._rooms.lease(transcript)
            offset_ms = wish.at_ms
            if offset_ms is None:
                offset_ms = await self._end_ms(transcript)
            new = NewUpload(
                session=NewSession(
                    session, offset_ms, wish.name, samples=examined.length or 0, over=True
                ),
                digest=incoming.digest,
                key=wish.key,
                name=wish.name,
                size_bytes=incoming.size_bytes,
                wishes=wish.wishes,
            )
            # In this order: a job whose file is not there yet would fail.
            await self._disk.run(lambda: self._files.keep(incoming, manifest))
            try:
                _, job = await self._jobs.submit_with(
                    lambda bounds: self._store.uploads.add(lease, new, bounds)
                )
            except (Conflict, Overload, StaleWriter, UnknownTranscript):
                await self._disk.run(lambda: self._files.remove(session))
                raise
            # After anything else it may be stored all the same: the next start finds out.
            await self._disk.run(lambda: self._files.confirm(session))
        logger.info(
            "upload taken",
            extra={"session": session, "job": job.id, "bytes": incoming.size_bytes},
        )
        return Taken(job, new=True)

    async def _end_ms(self, transcript: str) -> int:
        """Return where on its clock all that is recorded of a transcript ends."""
        sessions = await self._threads.read(lambda: self._store.sessions.of(transcript))
        about = await self._threads.read(lambda: self._store.library.get(transcript))
        ends = [each.offset_ms + to_ms(Samples(each.samples)) for each in sessions]
        return max([0, about.duration_ms, *ends]) if sessions else 0

    def _too_large(self, size_bytes: int | None) -> UploadError:
        got = "more" if size_bytes is None else f"{size_bytes} bytes"
        return UploadError(UploadFault.TOO_LARGE, f"at most {self._limits.size_bytes} bytes", got)

    def _lock(self, transcript: str) -> asyncio.Lock:
        return self._locks.setdefault(transcript, asyncio.Lock())


def _key_reused(what: str) -> UploadError:
    expected = f"the same {what} as before under this Idempotency-Key"
    return UploadError(UploadFault.KEY_REUSED, expected, "another")


def _manifest(session: str, transcript: str, wish: UploadWish) -> Manifest:
    """Return what the folder says of a session that is over and never was live."""
    now_ms = unix_ms()
    terms = Terms(
        sample_rate=SAMPLE_RATE,
        encoding=Encoding.PCM_S16LE,
        language=wish.wishes.language or AUTO_LANGUAGE,
        lookahead_ms=0,
        max_delay_ms=0,
        diarization=wish.wishes.diarization,
        diarization_latency_ms=None,
        hotwords=wish.wishes.hotwords,
        partials=False,
        finals=Finals.UTTERANCE,
        transcript=transcript,
        microphone=wish.name,
    )
    # Nobody is given this token: there is nothing to resume.
    unguessable = fingerprint(make_token())
    return Manifest(session, unguessable, now_ms, terms, ended=True, finished_ms=now_ms)
