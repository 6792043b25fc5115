"""Tests of `streaming.runner`: sessions in an event loop, on shared engines in threads."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

from streaming import runner as runner_module
from streaming.core.domain import Pcm, Samples, UtteranceId, from_ms
from streaming.core.errors import BacklogFull, SessionFinished
from streaming.core.events import EngineFailed, Event, SpeechStarted
from streaming.core.ports import Diarization, RecognitionWindow, Transcription
from streaming.core.settings import FinalsMode, SessionSettings
from streaming.engines.loading import EngineConfig, EngineNames, EngineSet, load
from streaming.engines.script import Script
from streaming.engines.scripted import (
    WELL,
    Conduct,
    ScriptedDiarizer,
    ScriptedRecognizer,
    ScriptedVad,
)
from streaming.pool import Pool
from streaming.runner import Origin, Progress, SessionRunner
from tests.heartbeat import SHARE_BLOCKED, Heartbeat
from tests.streaming.core.hearing import Hearing, Reader
from tests.streaming.core.scripts import SENTENCE, SETTINGS, Talk, in_a_row, text_of
from tests.streaming.engines.recordings import Recording, weights

DEADLINE_S = 60.0
LOOK_AGAIN_S = 0.002
PIECE = from_ms(100)
SECOND = from_ms(1_000)


def engines(
    script: Script, *, recognizer: Conduct = WELL, diarizer: Conduct = WELL, vad: Conduct = WELL
) -> EngineSet:
    return EngineSet(
        vad=lambda start: ScriptedVad(script, vad, start=start),
        diarizer=lambda latency, _known: ScriptedDiarizer(script, latency, conduct=diarizer),
        recognizer=ScriptedRecognizer(script, hesitates=True, conduct=recognizer),
        recognizer_batch=1,
        recognizer_workers=2,
        languages=frozenset({"en"}),
        names=EngineNames("", "", ""),
    )


@asynccontextmanager
async def pool_of(engine_set: EngineSet) -> AsyncIterator[Pool]:
    pool = Pool(engine_set)
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield pool
    finally:
        await pool.aclose()


def silence(length: int) -> Pcm:
    return np.zeros(length, dtype=np.float32)


async def feed(runner: SessionRunner, pcm: Pcm) -> None:
    """Feed audio as fast as the session takes it, and end."""
    for at in range(0, len(pcm), PIECE):
        piece = pcm[at : at + PIECE]
        while runner.room < len(piece):  # noqa: ASYNC110 - room has no event
            await asyncio.sleep(LOOK_AGAIN_S)
        runner.feed(piece)
        await asyncio.sleep(0)
    runner.finish()


async def read(runner: SessionRunner) -> list[Event]:
    """Read all events."""
    events: list[Event] = []
    async for batch in runner.batches():
        assert batch, "batches are never empty"
        events += batch
    return events


async def hear(pool: Pool, chosen: SessionSettings, pcm: Pcm) -> list[Event]:
    """Hear a session from beginning to end, and hold its events to what they promise."""
    runner = SessionRunner(pool, chosen)
    events, _ = await asyncio.gather(read(runner), feed(runner, pcm))
    await runner.aclose()
    reader = Reader(chosen)
    for event in events:
        reader.read(event, Samples(len(pcm)))
    return events


def final_text(events: list[Event], chosen: SessionSettings) -> str:
    reader = Reader(chosen)
    for event in events:
        reader.read(event, Samples(10**9))
    return text_of(reader.words)


# --- Events ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("finals", FinalsMode)
async def test_a_session_is_heard_to_its_end(finals: FinalsMode) -> None:
    chosen = replace(SETTINGS, finals=finals)

    async with pool_of(engines(SENTENCE.script)) as pool:
        events = await hear(pool, chosen, silence(SENTENCE.length))

    assert final_text(events, chosen) == SENTENCE.text


async def test_events_arrive_while_the_session_goes_on() -> None:
    async with pool_of(engines(SENTENCE.script)) as pool:
        runner = SessionRunner(pool, SETTINGS)
        runner.feed(silence(from_ms(1_500)))

        batch = await anext(aiter(runner.batches()))

        assert isinstance(batch[0], SpeechStarted)
        await runner.aclose()


async def test_a_flush_ends_the_utterance_going_on() -> None:
    async with pool_of(engines(SENTENCE.script)) as pool:
        runner = SessionRunner(pool, SETTINGS)
        runner.feed(silence(from_ms(1_500)))
        runner.flush()
        batches = runner.batches()
        reader = Reader(SETTINGS)

        while not reader.ended:
            for event in await anext(batches):
                reader.read(event, from_ms(1_500))

        assert text_of(reader.words) == " w0 w1 w2"
        assert runner.progress.received == from_ms(1_500)
        await runner.aclose()


async def test_a_session_may_go_on_where_another_ended() -> None:
    start = from_ms(100_000)
    shifted = SENTENCE.script.shifted(start)

    async with pool_of(engines(shifted)) as pool:
        runner = SessionRunner(pool, SETTINGS, origin=Origin(start, utterance=7))
        assert runner.progress == Progress(start, start, SETTINGS.live.step, 0)
        events, _ = await asyncio.gather(read(runner), feed(runner, silence(SENTENCE.length)))

    hearing = Hearing(Talk(shifted, SENTENCE.length), SETTINGS, start=start, first=UtteranceId(7))
    assert events[0] == hearing.hear([SENTENCE.length]).began[0]


async def test_an_empty_session_ends_without_events() -> None:
    async with pool_of(engines(SENTENCE.script)) as pool:
        runner = SessionRunner(pool, replace(SETTINGS, diarization=False))
        runner.finish()

        assert await read(runner) == []


# --- Limits ---------------------------------------------------------------------------------------


async def test_events_that_nobody_reads_stop_the_intake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "UNREAD_EVENTS", 2)
    async with pool_of(engines(SENTENCE.script)) as pool:
        runner = SessionRunner(pool, SETTINGS)
        assert runner.room == SETTINGS.capacity
        while runner.room and runner.progress.received < SENTENCE.length:
            runner.feed(silence(PIECE))
            await asyncio.sleep(LOOK_AGAIN_S)

        received = runner.progress.received
        assert received < SENTENCE.length
        runner.feed(silence(1))  # What there was room for before is taken all the same ...
        assert runner.progress.received == received + 1
        with pytest.raises(BacklogFull):  # ... but no more than the session holds.
            runner.feed(silence(SETTINGS.capacity + 1))

        await anext(aiter(runner.batches()))
        assert runner.room > 0
        await runner.aclose()


async def test_audio_after_the_end_is_refused() -> None:
    async with pool_of(engines(SENTENCE.script)) as pool:
        runner = SessionRunner(pool, SETTINGS)
        runner.finish()

        with pytest.raises(SessionFinished):
            runner.feed(silence(1))
        await runner.aclose()


# --- Failures -------------------------------------------------------------------------------------


async def test_an_engine_that_fails_now_and_then_costs_no_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now_and_then = Conduct(fails_at=frozenset({0, 1, 4}))

    async with pool_of(
        engines(SENTENCE.script, recognizer=now_and_then, diarizer=now_and_then)
    ) as pool:
        events = await hear(pool, SETTINGS, silence(SENTENCE.length))

    assert final_text(events, SETTINGS) == SENTENCE.text
    assert caplog.messages == ["engine failed"] * 6


@pytest.mark.parametrize("engine", ["vad", "diarizer", "recognizer"])
async def test_an_engine_that_always_fails_ends_the_session(engine: str) -> None:
    always = Conduct(fails_at=frozenset(range(1_000)))
    failing = engines(
        SENTENCE.script,
        vad=always if engine == "vad" else WELL,
        diarizer=always if engine == "diarizer" else WELL,
        recognizer=always if engine == "recognizer" else WELL,
    )

    async with pool_of(failing) as pool:
        runner = SessionRunner(pool, SETTINGS)
        runner.feed(silence(SENTENCE.length))
        events = await read(runner)
        await runner.aclose()

    assert events[-1] == EngineFailed(engine, "ScriptedFailure")


async def test_a_mistake_of_the_session_is_told_to_its_reader(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    async with pool_of(engines(SENTENCE.script)) as pool:
        runner = SessionRunner(pool, SETTINGS)
        monkeypatch.setattr(runner._session, "complete", fail)
        runner.feed(silence(SENTENCE.length))

        with pytest.raises(ZeroDivisionError):
            await read(runner)
        await runner.aclose()

    assert "session failed" in caplog.messages


# --- Closing --------------------------------------------------------------------------------------


async def test_closing_in_the_middle_ends_the_batches_and_leaves_nothing_running() -> None:
    slow = Conduct(delay_s=0.05)
    async with pool_of(engines(SENTENCE.script, recognizer=slow)) as pool:
        runner = SessionRunner(pool, SETTINGS)
        runner.feed(silence(SENTENCE.length))
        reading = asyncio.create_task(read(runner))
        await asyncio.sleep(0)
        assert runner._tasks

        await runner.aclose()
        await reading

        assert runner._tasks == set()
        assert pool.queue_depth == 0
        runner.flush()
        assert runner._tasks == set()
        # The engines serve others as before.
        other = await hear(pool, SETTINGS, silence(SENTENCE.length))
    assert final_text(other, SETTINGS) == SENTENCE.text


# --- Load -----------------------------------------------------------------------------------------


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - threads have no event of the loop
        await asyncio.sleep(LOOK_AGAIN_S)


class Gatekeeper(ScriptedRecognizer):
    """A recognizer that waits in its first call, and notes the lengths of live windows."""

    def __init__(self, script: Script) -> None:
        """Know what is said."""
        super().__init__(script)
        self.gate = threading.Event()
        self.lengths: list[int] = []

    def recognize(self, windows: Sequence[RecognitionWindow]) -> Sequence[Transcription]:
        """Answer as the script says."""
        self.lengths += [len(window.pcm) for window in windows]
        if len(self.lengths) == 1:
            self.gate.wait(DEADLINE_S)
        return super().recognize(windows)


async def test_a_window_that_waits_for_another_session_hears_what_is_said_meanwhile() -> None:
    recognizer = Gatekeeper(SENTENCE.script)
    one_thread = replace(engines(SENTENCE.script), recognizer=recognizer, recognizer_workers=1)

    async with pool_of(one_thread) as pool:
        first, second = SessionRunner(pool, SETTINGS), SessionRunner(pool, SETTINGS)
        first.feed(silence(SECOND))
        await until(lambda: len(recognizer.lengths) == 1)
        second.feed(silence(SECOND))
        await until(lambda: pool.queue_depth == 1)
        second.feed(silence(SECOND))
        await asyncio.sleep(0.2)  # Its frames are scored.
        recognizer.gate.set()
        await until(lambda: len(recognizer.lengths) > 1)
        for runner in (first, second):
            await runner.aclose()

    assert recognizer.lengths[0] <= SECOND < recognizer.lengths[1]


class GatekeepingDiarizer(ScriptedDiarizer):
    """A diarizer that waits in its first call, and notes where windows end, in seconds."""

    def __init__(self, script: Script) -> None:
        """Know who speaks."""
        super().__init__(script, SETTINGS.diarization_latency)
        self.gate = threading.Event()
        self.ends: list[float] = []

    def label(self, window: Pcm, start: Samples) -> Diarization:
        """Answer as the script says."""
        self.ends.append((start + len(window)) / SECOND)
        if len(self.ends) == 1:
            self.gate.wait(DEADLINE_S)
        return super().label(window, start)


@pytest.mark.parametrize(("waits_s", "end_s"), [(0.3, 1), (1.1, 2)])
async def test_voices_of_a_session_that_waited_for_a_whole_step_are_told_apart_in_longer_ones(
    waits_s: float, end_s: float
) -> None:
    first = GatekeepingDiarizer(SENTENCE.script)
    others = GatekeepingDiarizer(SENTENCE.script)
    others.gate.set()
    diarizers = iter((first, others))
    shared = replace(engines(SENTENCE.script), diarizer=lambda _latency, _known: next(diarizers))

    async with pool_of(shared) as pool:
        runners = [SessionRunner(pool, SETTINGS) for _ in range(2)]
        runners[0].feed(silence(SECOND))
        await until(lambda: len(first.ends) == 1)
        runners[1].feed(silence(2 * SECOND))
        await asyncio.sleep(waits_s)
        first.gate.set()
        await until(lambda: others.ends != [])
        for runner in runners:
            await runner.aclose()

    assert others.ends[0] == end_s


class SlowDiarizer(GatekeepingDiarizer):
    """A diarizer that takes longer for a window than a step of audio is long."""

    def label(self, window: Pcm, start: Samples) -> Diarization:
        """Answer as the script says, late."""
        time.sleep(1.1)
        return super().label(window, start)


async def test_voices_are_told_apart_in_longer_steps_where_that_takes_longer_than_a_step() -> None:
    slow = SlowDiarizer(SENTENCE.script)
    slow.gate.set()

    async with pool_of(replace(engines(SENTENCE.script), diarizer=lambda *_: slow)) as pool:
        runner = SessionRunner(pool, SETTINGS)
        runner.feed(silence(5 * SECOND))
        await until(lambda: len(slow.ends) == 2)
        await runner.aclose()

    assert slow.ends[:2] == [1, 3]


@pytest.mark.slow
async def test_the_event_loop_beats_while_slow_engines_serve_many_sessions() -> None:
    talk = in_a_row(SENTENCE, 4)
    slow = engines(talk.script, recognizer=Conduct(delay_s=0.03), diarizer=Conduct(delay_s=0.005))
    heartbeat = Heartbeat()

    async with pool_of(slow) as pool, heartbeat.beating():
        heard = await asyncio.gather(
            *(hear(pool, SETTINGS, silence(talk.length)) for _ in range(6))
        )

    assert [final_text(events, SETTINGS) for events in heard] == [talk.text] * 6
    assert heartbeat.share_blocked < SHARE_BLOCKED


@pytest.mark.models
async def test_the_event_loop_beats_while_real_engines_serve_two_sessions() -> None:
    config = EngineConfig(
        live_model="whisper-base",
        cache=weights("whisper-base").parent,
        device="cpu",
        compute_type="int8",
        most_workers=2,
    )
    pcm = Recording.read("items/jfk").pcm
    heartbeat = Heartbeat()

    async with pool_of(await asyncio.to_thread(load, config)) as pool, heartbeat.beating():
        heard = await asyncio.gather(*(hear(pool, SETTINGS, pcm) for _ in range(2)))

    assert all("country" in final_text(events, SETTINGS) for events in heard)
    assert heartbeat.share_blocked < SHARE_BLOCKED
