"""One session as the server sees it: audio to disk and to the live pass, words to disk and client.

                        +-> Scribe (audio.pcm) -> `ack`
    hear() -> Intake ---+
                        +-> SessionRunner -> events -> Scribe (events.jsonl) -> Outbox -> client
                                                                             -> transcript

A session outlives its connections. It ends in one of three ways: everything is final (`Done`), it
failed (`ServerFault`), or the server stops (`interrupt`). After the last two its recording is all
that is needed to take it up again: a new `Session` over it hears the audio after the last final
word once more, and the numbers of events, utterances and samples go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace

from server.codes import ErrorCode
from server.disk import Disk, Scribe
from server.errors import PeerMistake, RecordingClosed, Refusal, ServerFault
from server.journal import Entry
from server.messages import Done
from server.outbox import Ending, Outbox
from server.recordings import Manifest, Recording, finished
from server.rehearing import Wishes
from server.resampling import Intake, Pcm16, as_heard, client_samples, next_sample
from server.telemetry import SessionTelemetry
from server.voices import Voices
from streaming.core.domain import SAMPLE_RATE, Samples, Span, Voice, to_ms
from streaming.core.events import EngineFailed, Event, Final, Partial, UtteranceEnded
from streaming.runner import SessionRunner

logger = logging.getLogger(__name__)

RECENT_ENTRIES = 256
"""Newest events kept in memory; older ones are read from the disk for who comes back late."""

KEEP_VOICES_EVERY = 5 * SAMPLE_RATE
"""New audio after which the prints of voices are written again."""

REHEARD_AT_ONCE = 10 * SAMPLE_RATE
REHEAR_PAUSE_S = 0.05
"""How often a session that hears its recording again looks whether there is room for more."""


@dataclass(frozen=True, slots=True)
class Credit:
    """What a client may forget, and what it may send; indices of its own samples."""

    stored: int
    until: int


class Session:
    """Owned by `Sessions`, which runs it; used by one connection at a time, in the event loop.

    Attributes:
        ended: Whether its client said that no more audio follows.
        ending: What ended it, once something did.
    """

    def __init__(
        self,
        recording: Recording,
        runner: SessionRunner,
        disk: Disk,
        telemetry: SessionTelemetry,
        *,
        unread_events: int,
        follow: Callable[[Session], Coroutine[None, None, None]] | None = None,
    ) -> None:
        """Begin over a recording.

        Args:
            recording: New, or of a session that was interrupted; closed by `put_away`.
            runner: Begins where the recording's final words end; closed by `run`.
            disk: For the recording.
            telemetry: Of this session.
            unread_events: How many events a client may leave unread.
            follow: Writes what the session says somewhere else too. It is not done before that is,
                and ends with what this raises.
        """
        terms = recording.manifest.terms
        self._recording = recording
        self._runner = runner
        self._disk = disk
        self._telemetry = telemetry
        self._unread_events = unread_events
        self._follow = follow
        self._news = asyncio.Event()
        self._heard_all = False
        self._rate = terms.sample_rate
        self._intake = Intake(terms.encoding, terms.sample_rate, recording.samples)
        self._scribe = Scribe(recording, disk)
        self._ledger = recording.ledger
        self._voices = Voices(self._ledger.speakers, runner.voices)
        self._voices_kept_at = recording.samples
        self._told = self._ledger.last_seq
        self._recent: deque[Entry] = deque(maxlen=RECENT_ENTRIES)
        self._partial: Partial | None = None
        self._outbox: Outbox | None = None
        self._left = False
        self._nobody = asyncio.Event()
        self._nobody.set()
        self._reheard = self._ledger.final_until
        self._began_at = recording.samples
        self._began_s = asyncio.get_running_loop().time()
        self.ended = recording.manifest.ended
        self._closing = asyncio.Event()
        self.ending: Ending | None = None
        if self.ended:
            self._closing.set()

    @property
    def id(self) -> str:
        """The session's id."""
        return self._recording.manifest.session

    @property
    def manifest(self) -> Manifest:
        """What is kept about the session."""
        return self._recording.manifest

    @property
    def language(self) -> str | None:
        """The language that was detected, if one was."""
        return self._ledger.language

    @property
    def resumable(self) -> bool:
        """Whether a client may have it: not once it was closed without its client saying so."""
        return self.ended or not self._closing.is_set()

    @property
    def next(self) -> int:
        """Index of the client's sample wanted next."""
        return self._intake.received

    @property
    def received(self) -> Samples:
        """Length of the audio received."""
        return self._scribe.samples

    @property
    def processed(self) -> Samples:
        """How far it was heard."""
        return self._runner.progress.processed

    @property
    def step(self) -> Samples:
        """New audio between the last two live passes."""
        return self._runner.progress.step

    @property
    def voices(self) -> tuple[Voice, ...]:
        """What its speakers sound like, by the names that clients know."""
        return self._voices.heard(self._runner.voices)

    @property
    def wishes(self) -> Wishes:
        """How it is to be heard."""
        return Wishes.of(self.manifest.terms, self.language)

    @property
    def partial(self) -> Partial | None:
        """What is being said."""
        return self._partial

    @property
    def complete(self) -> bool:
        """Whether every event that will ever come is written."""
        return self._heard_all

    @property
    def abandoned(self) -> bool:
        """Whether its client went away and has not come back: it hears nothing new meanwhile."""
        return self._left

    @property
    def lateness(self) -> Samples:
        """How far hearing is behind real time (see `admission.refuse`)."""
        elapsed_s = asyncio.get_running_loop().time() - self._began_s
        played = self._began_at + int(elapsed_s * SAMPLE_RATE)
        return Samples(max(0, min(played, self.received) - self.processed))

    @property
    def credit(self) -> Credit:
        """What is stored, and how much more is taken now."""
        stored = min(self.next, next_sample(self._rate, self._scribe.written))
        if self._reheard < self._began_at:
            return Credit(stored, self.next)
        # One sample less, because a resampler rounds up what it gives out at its end.
        room = max(0, self.received + self._runner.room - 1)
        return Credit(stored, max(self.next, client_samples(self._rate, room)))

    def attach(self, after: int) -> Outbox:
        """Give the session to a connection, and take it from the one that has it.

        Raises:
            PeerMistake: `after` is a number that no event has yet.
        """
        if after > self._told:
            raise PeerMistake(
                ErrorCode.MALFORMED,
                "Wrong resume.after",
                expected=f"at most {self._told}, the newest event",
                got=str(after),
            )
        if self._outbox is not None:
            self._outbox.end(_replaced())
        self._left = False
        self._nobody.clear()
        self._outbox = outbox = Outbox(after, self._told, self._unread_events)
        if self._partial is not None:
            outbox.add_partial(self._partial)
        if self.ending is not None:
            outbox.end(self.ending)
        return outbox

    def detach(self, outbox: Outbox) -> bool:
        """Take the session from a connection; return whether nobody has it now."""
        if self._outbox is outbox:
            self._outbox = None
            self._left = True
            self._nobody.set()
        return self._outbox is None

    def hear(self, pcm: bytes) -> None:
        """Take whole samples, as many as `credit` allows; never blocks.

        Raises:
            PeerMistake: They are no numbers, or the session takes no more audio.
        """
        if self._closing.is_set():
            raise PeerMistake(
                ErrorCode.AUDIO_AFTER_END,
                "The session ended already",
                expected="end",
                got="audio",
            )
        self._take(self._intake.take(pcm))

    def flush(self) -> None:
        """Make what was heard so far final."""
        if not self._closing.is_set():
            self._runner.flush()

    def close(self, *, by_client: bool) -> None:
        """Take no more audio; when all of it is final, the session is done.

        Args:
            by_client: Whether its client said so. Then it may still come back for what it missed.
        """
        self.ended = self.ended or by_client
        self._closing.set()

    async def left(self) -> None:
        """Wait until no connection has the session."""
        await self._nobody.wait()

    async def entries(self, after: int, limit: int) -> list[Entry]:
        """Return written events that follow number `after`; none once the session is put away."""
        if self._recent and self._recent[0].seq <= after + 1:
            newer = [entry for entry in self._recent if entry.seq > after]
            return newer[:limit]
        try:
            return await self._disk.run(lambda: self._recording.entries(after, limit))
        except RecordingClosed:
            return []

    async def news(self) -> None:
        """Wait until something new is written or shown; for one who follows."""
        await self._news.wait()
        self._news.clear()

    async def run(self) -> None:
        """Live until everything is final; what ended the session is left in `ending`.

        Cancelling it leaves a recording that can be taken up again.
        """
        try:
            if self.manifest.finished_ms is None:
                await self._live()
            self.ending = self._done()
        except* Refusal as faults:
            self.ending = next(fault for fault in faults.exceptions if isinstance(fault, Refusal))
        except* Exception as errors:
            logger.exception("session failed", extra={"session": self.id}, exc_info=errors)
            self.ending = _internal_error()
        finally:
            await self._runner.aclose()
            await self._scribe.finish()  # before anybody is told to take it up again
        if self._outbox is not None and self.ending is not None:
            self._outbox.end(self.ending)

    def interrupt(self, fault: ServerFault) -> None:
        """Tell whoever is connected that the session stops here; `run` is to be cancelled next."""
        self.ending = fault
        if self._outbox is not None:
            self._outbox.end(fault)

    async def give_up(self) -> None:
        """Mark a session that cannot be heard to its end, after `run` ended."""
        await self._note(finished(self.manifest, failed=True))

    async def put_away(self) -> None:
        """Let go of the recording, after `run` ended."""
        await self._disk.run(self._recording.close)

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(self._write_audio())
            tasks.create_task(self._hear_recording())
            if self._follow is not None:
                tasks.create_task(self._follow(self))
            async for events in self._runner.batches():
                await self._publish(events)
            self._heard_all = True
            self._news.set()
            writing.cancel()
        await self._scribe.flush()
        await self._note(finished(self.manifest))

    async def _write_audio(self) -> None:
        while True:
            await self._scribe.wait()
            await self._scribe.flush()
            self._nudge()

    async def _hear_recording(self) -> None:
        """Hear what an interrupted session heard in vain, then wait for the end of the audio."""
        while self._reheard < self._began_at:
            length = min(self._began_at - self._reheard, REHEARD_AT_ONCE, self._runner.room)
            if length == 0:
                await asyncio.sleep(REHEAR_PAUSE_S)
                continue
            span = Span(self._reheard, Samples(self._reheard + length))
            audio = await self._disk.run(lambda: self._recording.audio(span))  # noqa: B023
            self._runner.feed(as_heard(audio))
            self._reheard = span.end
        await self._closing.wait()
        self._take(self._intake.finish())
        await self._scribe.flush()
        self._nudge()
        if self.ended:
            await self._note(replace(self.manifest, ended=True))
        self._runner.finish()

    async def _publish(self, events: Sequence[Event]) -> None:
        """Write what lasts, and then tell it: nothing that was told can be lost."""
        entries: list[Entry] = []
        failed: EngineFailed | None = None
        shown = self._partial
        for event in map(self._voices.named, events):
            match event:
                case Partial():
                    self._partial = event
                case EngineFailed():
                    failed = event
                case _:
                    if isinstance(event, Final | UtteranceEnded):
                        self._partial = None
                    entries.append(self._ledger.record(event))
        await self._tell(entries)
        if self._partial is not None and self._partial is not shown:
            self._show(self._partial)
        await self._keep_voices()
        if failed is not None:
            raise self._engine_failed(failed)

    async def _keep_voices(self) -> None:
        """Keep what voices sound like now and then, for who takes the session up again."""
        if self.received - self._voices_kept_at >= KEEP_VOICES_EVERY:
            self._voices_kept_at = self.received
            voices = self.voices
            await self._disk.run(lambda: self._recording.keep_voices(voices))

    async def _tell(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        for entry in entries:
            self._scribe.add_entry(entry)
        await self._scribe.flush()
        for entry in entries:
            self._told = entry.seq
            self._recent.append(entry)
            self._telemetry.entry_told(entry, self._runner.progress.skipped_passes)
            if self._outbox is not None:
                self._outbox.add_entry(entry)
        self._news.set()

    def _show(self, partial: Partial) -> None:
        self._telemetry.partial_shown(partial)
        self._news.set()
        if self._outbox is not None:
            self._outbox.add_partial(partial)

    def _take(self, audio: Pcm16) -> None:
        self._scribe.add_audio(audio)
        self._runner.feed(as_heard(audio))
        self._telemetry.audio_received(self.received)

    def _nudge(self) -> None:
        if self._outbox is not None:
            self._outbox.wake.set()

    async def _note(self, manifest: Manifest) -> None:
        await self._disk.run(lambda: self._recording.note(manifest))

    def _done(self) -> Done:
        return Done(
            audio_ms=to_ms(self.received),
            utterances=self._ledger.utterances,
            words=self._ledger.words,
            speakers=len(self._ledger.speakers),
            corrections=self._ledger.corrections,
        )

    def _engine_failed(self, failure: EngineFailed) -> ServerFault:
        # The reason may quote what a model was given: it is for the log of the engine, not ours.
        logger.error("engine failed", extra={"session": self.id, "engine": failure.engine})
        self._telemetry.engine_failed(failure.engine)
        return ServerFault(
            ErrorCode.ENGINE_FAILED,
            "A model failed again and again",
            expected="an answer",
            got=f"failures of the {failure.engine}",
        )


def _replaced() -> PeerMistake:
    return PeerMistake(
        ErrorCode.REPLACED,
        "Another connection resumed this session",
        expected="one connection for each session",
        got="a newer one",
    )


def _internal_error() -> ServerFault:
    return ServerFault(
        ErrorCode.INTERNAL_ERROR,
        "The server failed",
        expected="to hear this session to its end",
        got="an internal error",
    )
