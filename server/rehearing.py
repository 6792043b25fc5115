"""What of a session is heard again, and when: closed stretches, and all of it at its end.

Each job has a key, so that whoever asks again after a crash asks for nothing more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from offline.jobs import JobKind, Task
from offline.passes import Passes
from server.errors import Overload
from server.jobs import Jobs
from server.messages import AUTO_LANGUAGE
from server.storage.jobs import NewJob
from server.storage.store import Store
from server.storage.values import Session
from server.store_threads import StoreThreads
from server.terms import Terms
from streaming.core.domain import to_ms
from streaming.core.events import Event, UtteranceEnded

logger = logging.getLogger(__name__)

STRETCH_MS = 30_000
"""Utterances are heard again once they are so long together, the longest window of Whisper."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a session is to be heard.

    Attributes:
        language: ISO 639-1 code; `None` while nobody knows.
        hotwords: Words to favour.
        diarization: Whether speakers are told apart.
    """

    language: str | None
    hotwords: tuple[str, ...]
    diarization: bool

    @classmethod
    def of(cls, terms: Terms, detected: str | None) -> Wishes:
        """Return the wishes of a session in which a language was detected, if one was."""
        language = detected if terms.language == AUTO_LANGUAGE else terms.language
        return cls(language, terms.hotwords, terms.diarization)


class Rehearing:
    """Has one session heard again; owned by the task that writes its words."""

    def __init__(
        self,
        session: Session,
        begun_ms: int,
        kinds: frozenset[JobKind],
        jobs: Jobs,
        wishes: Callable[[], Wishes],
    ) -> None:
        """Go on behind the last stretch.

        Args:
            session: As the storage knows it.
            begun_ms: Where the present stretch begins, on the session's clock.
            kinds: What there are passes for.
            jobs: Of the server.
            wishes: Tells how the session is to be heard, as far as that is known by then.
        """
        self._session = session
        self._begun_ms = begun_ms
        self._kinds = kinds
        self._jobs = jobs
        self._wishes = wishes

    def closes_stretch(self, event: Event) -> bool:
        """Return whether a stretch is long enough with what just ended."""
        return (
            JobKind.STRETCH in self._kinds
            and isinstance(event, UtteranceEnded)
            and to_ms(event.span.end) - self._begun_ms >= STRETCH_MS
        )

    async def stretch(self, event: Event) -> None:
        """Have the stretch heard again that an event closed; its words are to be stored before.

        Raises:
            UnknownTranscript: It was deleted.
            StorageError: It cannot be asked for now.
        """
        assert isinstance(event, UtteranceEnded)
        end_ms = to_ms(event.span.end)
        await self._submit(JobKind.STRETCH, self._begun_ms, end_ms)
        self._begun_ms = end_ms

    async def recording(self) -> None:
        """Have all of it heard again; its words are to be stored before.

        Raises:
            UnknownTranscript: It was deleted.
            StorageError: It cannot be asked for now.
        """
        if JobKind.RECORDING in self._kinds:
            await self._submit(JobKind.RECORDING, 0, None)

    async def _submit(self, kind: JobKind, start_ms: int, end_ms: int | None) -> None:
        wishes = self._wishes()
        task = Task(
            kind=kind,
            transcript=self._session.transcript,
            session=self._session.id,
            start_ms=start_ms,
            end_ms=end_ms,
            language=wishes.language,
            hotwords=wishes.hotwords,
            # Voices of half a minute say less than those that the session told apart by then.
            diarization=wishes.diarization and kind is JobKind.RECORDING,
        )
        new = NewJob(task, f"{kind.value}:{self._session.id}:{start_ms}")
        try:
            await self._jobs.submit(new)
        except Overload:  # The whole recording, which is never refused, holds the stretch too.
            fields = {"session": self._session.id, "kind": kind.value}
            logger.warning("not heard again for now, too much waits", extra=fields)


class Rehearings:
    """Has sessions heard again; one for the whole server, used in its event loop."""

    def __init__(self, store: Store, threads: StoreThreads, jobs: Jobs, passes: Passes) -> None:
        self._store = store
        self._threads = threads
        self._jobs = jobs
        kinds = (JobKind.STRETCH, JobKind.RECORDING)
        self._kinds = frozenset(kind for kind in kinds if passes.of(kind))

    async def of(self, session: Session, wishes: Callable[[], Wishes]) -> Rehearing:
        """Return what goes on for a session where it was before.

        Raises:
            StorageError: It cannot be known now.
        """
        begun_ms = await self._threads.read(
            lambda: self._store.jobs.end_ms(session.transcript, session.id, JobKind.STRETCH)
        )
        return Rehearing(session, begun_ms, self._kinds, self._jobs, wishes)
