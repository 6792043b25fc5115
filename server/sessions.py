"""All sessions of a server: begun, found again, expired, finished, taken up from the disk.

             open()                   its client ends it, or stays away for `resume_ms`
    (nothing) -----> running ---------------------------------------> kept until it leaves
                      |   ^ resume(), also by another connection          |
     failed, stopped, |   |                                               v
              kill -9 v   | resume()                             finished, on disk for
                    unfinished, on disk                          `retention_days`
                          | nobody resumes it                             ^
                          +---> heard to its end, without a client -------+

An unfinished session that nobody resumes, after a failure or a restart, is heard to its end all
the same: its client may only want the transcript. One at a time, and once: if that fails too, it
is marked as failed.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, replace
from functools import partial

from server.admission import refuse
from server.auth import fingerprint, make_token, same
from server.codes import ErrorCode
from server.disk import Disk
from server.errors import (
    AudioStoreError,
    Overload,
    PeerMistake,
    RecordingError,
    RoomClosed,
    ServerFault,
    TranscriptClosed,
    UnsupportedSchema,
)
from server.messages import AUTO_LANGUAGE, NEW_TRANSCRIPT, Done, Resume
from server.outbox import Outbox
from server.recordings import Archive, Manifest, Recording, unix_ms
from server.session import Session
from server.settings import Settings
from server.storage.errors import StorageError, UnknownTranscript
from server.telemetry import SessionTelemetry, Telemetry
from server.terms import Terms, session_settings
from server.transcripts import Transcripts
from streaming.core.domain import Samples, Voice
from streaming.core.settings import SessionSettings
from streaming.runner import Origin, SessionRunner

logger = logging.getLogger(__name__)

BeginRunner = Callable[[SessionSettings, Origin], SessionRunner]
"""Begins to hear a session on the shared models."""

MOST_WAITING = 100
"""Sessions that may wait for their clients beside those that are heard; each takes a megabyte."""

SWEEP_S = 3_600.0
"""How often old sessions are looked for."""

DAY_MS = 86_400_000

REMEMBER_REMOVED_MS = 7 * DAY_MS
"""How long recordings of deleted transcripts are looked for: a session that was just beginning may
have made its own after the transcript was deleted, and other servers have folders of their own."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was begun for a client.

    Attributes:
        session: The session.
        token: What the client must present to resume it.
    """

    session: Session
    token: str


class Sessions:
    """The sessions of one server; used in its event loop."""

    def __init__(
        self,
        settings: Settings,
        archive: Archive,
        disk: Disk,
        telemetry: Telemetry,
        begin_runner: BeginRunner,
        transcripts: Transcripts,
    ) -> None:
        self._settings = settings
        self._archive = archive
        self._disk = disk
        self._telemetry = telemetry
        self._begin_runner = begin_runner
        self._transcripts = transcripts
        self._running: dict[str, Session] = {}
        self._kept: dict[str, Session] = {}
        self._expiries: dict[str, asyncio.TimerHandle] = {}
        self._opening = 0
        self._reviving = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._finishing = asyncio.Lock()

    @property
    def running(self) -> list[Session]:
        """The sessions that are being heard."""
        return list(self._running.values())

    def start(self) -> None:
        """Begin to look after sessions of before, and old ones."""
        self._spawn(self._finish_abandoned())
        self._spawn(self._sweep())

    async def open(self, terms: Terms, languages: Collection[str]) -> Opened:
        """Begin a session.

        Args:
            terms: What was agreed.
            languages: What the recognizer knows.

        Raises:
            Overload: There is no room for it now.
            PeerMistake: It is to speak into a transcript that there is not.
        """
        heard = [session for session in self._running.values() if not session.abandoned]
        # Those that wait for their clients need no computing, only memory.
        waiting = max(0, len(self._running) - len(heard) - MOST_WAITING)
        lateness = [session.lateness for session in heard]
        refusal = refuse(lateness + [Samples(0)] * (self._opening + waiting), self._settings)
        if refusal is not None:
            raise refusal
        self._opening += 1
        try:
            token = make_token()
            session = secrets.token_hex(8)
            terms = await self._admitted(session, terms, languages)
            manifest = Manifest(session, fingerprint(token), unix_ms(), terms)
            recording = await self._disk.run(lambda: self._archive.create(manifest))
            opened = self._launch(recording)
        finally:
            self._opening -= 1
        self._telemetry.session_opened(resumed=False)
        logger.info("session begins", extra={"session": session})
        self._spawn(self._run(opened))
        return Opened(opened, token)

    async def _admitted(self, session: str, terms: Terms, languages: Collection[str]) -> Terms:
        """Let a session into the transcript that it asks for, and return its terms with its id.

        A language that was not asked for is that of the transcript.
        """
        if terms.transcript is None:
            return terms
        try:
            transcript = terms.transcript
            if transcript == NEW_TRANSCRIPT:
                language = None if terms.language == AUTO_LANGUAGE else terms.language
                transcript = await self._transcripts.create(language=language)
            spoken = await self._transcripts.admit(
                transcript,
                session,
                microphone=terms.microphone,
                person=terms.person,
                age_ms=terms.age_ms,
            )
        except UnknownTranscript as error:
            raise _no_transcript("an unknown one") from error
        except TranscriptClosed as error:
            raise PeerMistake(
                ErrorCode.FORBIDDEN,
                "This transcript is closed",
                expected="a transcript that is live",
                got="one that its owner closed",
            ) from error
        except UnsupportedSchema as error:
            raise PeerMistake(
                ErrorCode.UNSUPPORTED,
                "This server is too old for this transcript",
                expected=f"a document of version {error.expected} or older",
                got=f"one of version {error.got}",
            ) from error
        except (RoomClosed, StorageError) as error:
            raise Overload(
                ErrorCode.OVERLOADED,
                "The transcript cannot be opened now",
                expected="a storage that can be written",
                got="one that cannot",
                retry_after_ms=self._settings.retry_after_ms,
            ) from error
        if terms.language == AUTO_LANGUAGE and spoken is not None and spoken in languages:
            terms = replace(terms, language=spoken)
        return replace(terms, transcript=transcript)

    async def _follow(self, session: Session) -> None:
        try:
            await self._transcripts.follow(session)
        except UnknownTranscript as error:
            raise _no_transcript("one that was deleted") from error

    async def resume(self, resume: Resume) -> Session:
        """Find a session again: running, kept, or on the disk. There is always room for it.

        Raises:
            PeerMistake: There is no such session any more, or the token is not its own.
        """
        async with self._reviving:
            session = self._running.get(resume.session) or self._kept.get(resume.session)
            if session is None:
                manifest = await self._disk.run(lambda: self._archive.manifest(resume.session))
            else:
                manifest = session.manifest
            # Both mistakes get one answer: who guesses learns nothing.
            if manifest is None or not same(fingerprint(resume.token), manifest.fingerprint):
                raise _gone("one that is not known here, or another token")
            if session is None and self._resumable(manifest):
                session = await self._revive(manifest.session)
                if session is not None:
                    self._spawn(self._run(session))
        if session is None or not session.resumable:
            raise _gone("one that was finished")
        return session

    def take(self, session: Session, after: int) -> Outbox:
        """Give a session to a connection, which must `leave` it.

        Raises:
            PeerMistake: `after` is not a number of one of its events.
        """
        outbox = session.attach(after)
        self._stop_expiry(session)
        return outbox

    def leave(self, session: Session, outbox: Outbox) -> None:
        """A connection is gone; if nobody else has the session, it waits for `resume_ms`."""
        if session.detach(outbox) and session.id in self._running:
            self._expire_later(session)

    async def aclose(self, fault: ServerFault) -> None:
        """Stop everything; sessions stay on disk as they are, and clients are told why."""
        for session in self._running.values():
            session.interrupt(fault)
            self._stop_expiry(session)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _launch(self, recording: Recording, voices: tuple[Voice, ...] = ()) -> Session:
        """Prepare to hear a recording, or the rest of it; `_run` does it.

        Args:
            recording: Of the session.
            voices: Kept with it.
        """
        manifest, ledger = recording.manifest, recording.ledger
        runner = self._begin_runner(
            session_settings(manifest.terms, ledger.language, self._settings),
            Origin(ledger.final_until, ledger.next_utterance, voices),
        )
        session = Session(
            recording,
            runner,
            self._disk,
            SessionTelemetry(self._telemetry, recording.samples),
            unread_events=self._settings.unread_events,
            follow=None if manifest.terms.transcript is None else self._follow,
        )
        self._running[session.id] = session
        self._expire_later(session)
        return session

    async def _revive(self, session: str) -> Session | None:
        """Take a session up from the disk, or return `None` if it cannot be read."""
        try:
            recording = await self._disk.run(lambda: self._archive.open(session))
        except RecordingError:
            logger.exception("session cannot be read", extra={"session": session})
            return None
        if recording is None:
            return None
        entries = [recording.ledger.record(event) for event in recording.ledger.closing()]
        await self._disk.run(lambda: recording.append(b"", entries))
        voices = await self._disk.run(recording.voices)
        self._telemetry.session_opened(resumed=True)
        logger.info("session is taken up again", extra={"session": session})
        return self._launch(recording, voices)

    def _resumable(self, manifest: Manifest) -> bool:
        """Whether a session that is only on disk may be taken up by its client."""
        if manifest.finished_ms is None:
            return True
        age_ms = unix_ms() - manifest.finished_ms
        return manifest.ended and not manifest.failed and age_ms <= self._settings.resume_ms

    async def _run(self, session: Session) -> None:
        """Hear a session, then keep it for whoever missed its end."""
        try:
            await self._hear(session)
            if isinstance(session.ending, Done):
                # For whoever is being told; who comes later finds it on the disk.
                self._kept[session.id] = session
                async with asyncio.timeout(self._settings.resume_ms / 1000):
                    await session.left()
        except TimeoutError:
            pass  # A client that does not go: it was told.
        finally:
            self._kept.pop(session.id, None)
            await session.put_away()
        if isinstance(session.ending, PeerMistake):
            await session.give_up()
            await self._remove_deleted()
        elif not isinstance(session.ending, Done):
            await asyncio.sleep(self._settings.resume_ms / 1000)
            await self._finish(session.id)

    async def _hear(self, session: Session) -> None:
        try:
            await session.run()
        finally:
            del self._running[session.id]
            self._stop_expiry(session)
        how = "done" if isinstance(session.ending, Done) else "failed"
        logger.info("session ends", extra={"session": session.id, "how": how})

    async def _finish_abandoned(self) -> None:
        """Finish what an earlier process left behind, unless its clients come back first."""
        abandoned = await self._disk.run(self._archive.unfinished)
        await asyncio.sleep(self._settings.resume_ms / 1000)
        for session in abandoned:
            try:
                await self._finish(session)
            except OSError:
                logger.exception("session cannot be finished", extra={"session": session})

    async def _finish(self, name: str) -> None:
        """Hear an abandoned session to its end; if that fails, mark it as failed."""
        async with self._finishing:
            async with self._reviving:
                manifest = await self._disk.run(lambda: self._archive.manifest(name))
                taken = name in self._running or name in self._kept
                if taken or manifest is None or manifest.finished_ms is not None:
                    return
                session = await self._revive(name)
            if session is None:
                return
            session.close(by_client=False)
            try:
                await self._hear(session)
                if not isinstance(session.ending, Done):
                    await session.give_up()
            finally:
                await session.put_away()

    async def _sweep(self) -> None:
        """Look for old sessions, for ever."""
        while True:
            try:
                await self._remove_deleted()
                await self._disk.run(self._put_away_old)
            except (AudioStoreError, OSError, StorageError):
                logger.exception("old sessions cannot be put away")
            await asyncio.sleep(SWEEP_S)

    def _put_away_old(self) -> None:
        """Remove sessions that are old enough, and store the audio of the others, in a thread."""
        resume_ms, now_ms = self._settings.resume_ms, unix_ms()
        kept_ms = max(self._settings.retention_days * DAY_MS, resume_ms)
        removed = self._archive.sweep(now_ms - kept_ms)
        # Who resumed a finished session at the last moment may have it for as long again.
        stored = self._archive.store_finished(now_ms - 2 * resume_ms)
        if removed or stored:
            logger.info("old sessions put away", extra={"removed": removed, "stored": stored})

    async def _remove_deleted(self) -> None:
        """Remove the recordings of deleted transcripts.

        Raises:
            StorageError: It is not known which.
        """
        removed: list[str] = []
        for session in await self._transcripts.deleted():
            try:
                await self._disk.run(partial(self._archive.remove, session))
            except (AudioStoreError, OSError):  # The next sweep tries again.
                logger.exception("recording not removed", extra={"session": session})
            else:
                removed.append(session)
        await self._transcripts.forget(removed, unix_ms() - REMEMBER_REMOVED_MS)

    def _expire_later(self, session: Session) -> None:
        self._stop_expiry(session)
        loop = asyncio.get_running_loop()
        self._expiries[session.id] = loop.call_later(
            self._settings.resume_ms / 1000, lambda: session.close(by_client=False)
        )

    def _stop_expiry(self, session: Session) -> None:
        expiry = self._expiries.pop(session.id, None)
        if expiry is not None:
            expiry.cancel()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a task of the sessions failed", exc_info=error)


def _no_transcript(got: str) -> PeerMistake:
    return PeerMistake(
        ErrorCode.UNKNOWN_TRANSCRIPT,
        "There is no such transcript",
        expected=f"a transcript of this server, {NEW_TRANSCRIPT!r}, or none",
        got=got,
    )


def _gone(got: str) -> PeerMistake:
    return PeerMistake(
        ErrorCode.SESSION_GONE,
        "This session cannot be resumed",
        expected="a session that waits for its client",
        got=got,
    )
