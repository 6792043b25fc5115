"""Tests of `streaming.pool`: whose call is next, and what becomes of calls nobody waits for."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

from streaming.core.domain import FRAME, Pcm, Samples
from streaming.core.ports import Effort, RecognitionWindow, Transcription
from streaming.core.settings import DIARIZATION_WINDOW
from streaming.core.work import Diarize, Score, WorkId
from streaming.engines.loading import EngineNames, EngineSet
from streaming.engines.scripted import ScriptedDiarizer, ScriptedRecognizer, ScriptedVad
from streaming.pool import PASS_SLACK_S, Lane, Pool
from tests.streaming.core.scripts import SENTENCE

DEADLINE_S = 60.0


class Gate:
    """A call that blocks its thread until it is let through; owned by one test."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stand closed."""
        self._loop = loop
        self._open = threading.Event()
        self.begun = asyncio.Event()
        self.passed = asyncio.Event()

    def __call__(self) -> None:
        """Block."""
        self._loop.call_soon_threadsafe(self.begun.set)
        assert self._open.wait(DEADLINE_S)
        self._loop.call_soon_threadsafe(self.passed.set)

    def let_through(self) -> None:
        """Open."""
        self._open.set()


CallLane = Lane[Callable[[], object], object]


def called(calls: Sequence[Callable[[], object]]) -> list[object]:
    return [call() for call in calls]


@asynccontextmanager
async def lane_of(threads: int = 1) -> AsyncIterator[CallLane]:
    lane = CallLane("test", threads, called)
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield lane
    finally:
        await lane.aclose()


@asynccontextmanager
async def busy(lane: CallLane, slack_s: float = 0.0, *, begins: bool = True) -> AsyncIterator[Gate]:
    """Keep a thread of the lane busy inside, or want to, where no work of this kind begins now."""
    gate = Gate(asyncio.get_running_loop())
    running = asyncio.create_task(lane.run(gate, slack_s))
    if begins:
        await gate.begun.wait()
    try:
        yield gate
    finally:
        gate.let_through()
        await asyncio.gather(running, return_exceptions=True)


class Order:
    """Starts calls, and notes the order in which they were carried out."""

    def __init__(self, lane: CallLane) -> None:
        """Note nothing yet."""
        self.done: list[str] = []
        self.tasks: list[asyncio.Task[object]] = []
        self._lane = lane

    async def call(self, name: str, slack_s: float = 0.0) -> None:
        """Start a call, and return when it waits."""
        call: Callable[[], None] = lambda: self.done.append(name)  # noqa: E731 - typed for mypy
        self.tasks.append(asyncio.create_task(self._lane.run(call, slack_s)))
        await asyncio.sleep(0)


async def test_a_call_runs_in_a_thread_and_its_outcome_comes_back() -> None:
    async with lane_of() as lane:
        assert await lane.run(threading.current_thread) is not threading.current_thread()

        with pytest.raises(ZeroDivisionError):
            await lane.run(lambda: 1 // 0)
        assert await lane.run(lambda: 7) == 7


async def test_as_many_calls_run_at_once_as_there_are_threads() -> None:
    async with lane_of(threads=2) as lane, busy(lane), busy(lane) as second:
        third = asyncio.create_task(lane.run(lambda: 3))
        await asyncio.sleep(0)
        assert lane.depth == 1

        second.let_through()

        assert await third == 3
        assert lane.depth == 0


async def test_the_earliest_deadline_goes_first() -> None:
    async with lane_of() as lane:
        order = Order(lane)
        async with busy(lane):
            for name, slack_s in (("late", 3), ("soon", 1), ("now", 0), ("soon too", 1)):
                await order.call(name, slack_s)
            assert lane.depth == 4
        await asyncio.gather(*order.tasks)

    assert order.done == ["now", "soon", "soon too", "late"]


async def test_what_may_come_later_does_not_wait_for_ever() -> None:
    async with lane_of() as lane:
        order = Order(lane)
        async with busy(lane):
            await order.call("patient", slack_s=0.02)
            await order.call("before")
            await asyncio.sleep(0.03)  # Time itself is what this is about.
            for number in range(3):
                await order.call(f"after {number}")
        await asyncio.gather(*order.tasks)

    assert order.done == ["before", "patient", "after 0", "after 1", "after 2"]


async def test_patient_work_leaves_a_thread_to_what_is_urgent() -> None:
    async with lane_of(threads=2) as lane, AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(busy(lane, slack_s=0.001, begins=begins))
            for begins in (True, False)
        ]

        assert await lane.run(lambda: "urgent") == "urgent"
        assert (lane.depth, second.begun.is_set()) == (1, False)

        first.let_through()
        await second.begun.wait()


async def test_work_that_may_be_left_out_waits_until_nothing_else_does() -> None:
    async with lane_of() as lane:
        order = Order(lane)
        async with busy(lane):
            optional = asyncio.create_task(lane.run_if_idle(lambda: order.done.append("it"), 60))
            await asyncio.sleep(0)
            await order.call("late", slack_s=3)
            await order.call("now")
        await asyncio.gather(optional, *order.tasks)

    assert order.done == ["now", "late", "it"]


async def test_work_is_left_out_that_cannot_begin_in_time() -> None:
    async with lane_of() as lane:
        async with busy(lane):
            assert await lane.run_if_idle(lambda: "it", 0.01) is None
            assert lane.depth == 0

        assert await lane.run_if_idle(lambda: "it", 60) == "it"
        with pytest.raises(ZeroDivisionError):
            await lane.run_if_idle(lambda: 1 // 0, 60)


async def test_work_that_nobody_waits_for_any_more_is_not_left_out_as_well() -> None:
    async with lane_of() as lane, busy(lane):
        optional = asyncio.create_task(lane.run_if_idle(lambda: "it", 0.01))
        await asyncio.sleep(0)
        time.sleep(0.02)  # noqa: ASYNC251 - the loop is late: both happen in its next turn
        optional.cancel()

        with pytest.raises(asyncio.CancelledError):
            await optional
        await asyncio.sleep(0.02)
        assert lane.depth == 0


async def test_work_that_began_in_time_may_take_longer() -> None:
    async with lane_of() as lane:
        gate = Gate(asyncio.get_running_loop())

        def pass_gate() -> str:
            gate()
            return "it"

        optional = asyncio.create_task(lane.run_if_idle(pass_gate, 0.01))
        await asyncio.sleep(0.03)  # Time itself is what this is about.
        gate.let_through()

        assert await optional == "it"


async def test_sessions_take_turns() -> None:
    done: list[str] = []

    async def session(lane: CallLane, name: str) -> None:
        for _ in range(20):
            await lane.run(lambda: done.append(name))

    async with lane_of() as lane:
        async with busy(lane):
            tasks = [asyncio.create_task(session(lane, name)) for name in "abc"]
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)

    assert "".join(done) == "abc" * 20


async def test_a_call_cancelled_while_it_waits_is_never_carried_out() -> None:
    async with lane_of() as lane:
        order = Order(lane)
        async with busy(lane):
            for name in "abc":
                await order.call(name)
            order.tasks[1].cancel()
            await asyncio.gather(order.tasks[1], return_exceptions=True)

            assert lane.depth == 2
        await asyncio.gather(order.tasks[0], order.tasks[2])

    assert order.done == ["a", "c"]


@pytest.mark.parametrize("fails", [False, True])
async def test_a_call_cancelled_while_it_runs_frees_its_thread_when_it_ends(*, fails: bool) -> None:
    async with lane_of() as lane:
        gate = Gate(asyncio.get_running_loop())

        def call() -> None:
            gate()
            if fails:
                raise ValueError

        running = asyncio.create_task(lane.run(call))
        await gate.begun.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        after = asyncio.create_task(lane.run(lambda: None))
        await asyncio.sleep(0)
        assert lane.depth == 1, "the thread is not free yet"

        gate.let_through()

        await after
        assert gate.passed.is_set()


async def test_closing_drops_what_waits_and_waits_for_what_runs() -> None:
    async with asyncio.timeout(DEADLINE_S):
        lane = CallLane("test", 1, called)
        gate = Gate(asyncio.get_running_loop())
        running = asyncio.create_task(lane.run(gate))
        await gate.begun.wait()
        order = Order(lane)
        await order.call("waiting")

        closing = asyncio.create_task(lane.aclose())
        await asyncio.gather(*order.tasks, return_exceptions=True)
        assert order.tasks[0].cancelled()
        assert not closing.done()
        with pytest.raises(RuntimeError, match="open lane"):
            await lane.run(lambda: None)
        gate.let_through()

        await closing
        await running
        assert gate.passed.is_set()
        assert order.done == []


# --- The pool -------------------------------------------------------------------------------------


class GatedRecognizer:
    """A recognizer that waits at its gate in its first call, and notes what it was asked."""

    def __init__(self, gate: Gate) -> None:
        """Know the sentence."""
        self._gate = gate
        self._recognizer = ScriptedRecognizer(SENTENCE.script)
        self.asked: list[Effort] = []
        self.calls: list[int] = []

    def kin(self, window: RecognitionWindow) -> Hashable:
        """Take live windows of a language together."""
        return window.language if window.effort is Effort.LIVE else None

    def recognize(self, windows: Sequence[RecognitionWindow]) -> Sequence[Transcription]:
        """Answer as the script says."""
        self.calls.append(len(windows))
        self.asked += [window.effort for window in windows]
        if len(self.asked) == 1:
            self._gate()
        return self._recognizer.recognize(windows)


def engines(recognizer: ScriptedRecognizer | GatedRecognizer) -> EngineSet:
    script = SENTENCE.script
    return EngineSet(
        vad=lambda start: ScriptedVad(script, start=start),
        diarizer=lambda latency, _known: ScriptedDiarizer(script, latency),
        recognizer=recognizer,
        recognizer_workers=1,
        recognizer_batch=3,
        languages=frozenset({"en"}),
        names=EngineNames("", "", ""),
    )


def silence(length: int) -> Pcm:
    return np.zeros(length, dtype=np.float32)


def window(effort: Effort) -> RecognitionWindow:
    return RecognitionWindow(
        start=Samples(0), pcm=silence(SENTENCE.length), effort=effort, language="en"
    )


async def test_a_live_window_overtakes_the_passes_that_wait() -> None:
    gate = Gate(asyncio.get_running_loop())
    recognizer = GatedRecognizer(gate)
    pool = Pool(engines(recognizer))
    asked = [Effort.LIVE, Effort.UTTERANCE, Effort.UTTERANCE, Effort.LIVE]

    async with asyncio.timeout(DEADLINE_S):
        tasks = []
        for effort in asked:
            tasks.append(asyncio.create_task(pool.recognize(window(effort))))
            await asyncio.sleep(0)
        await gate.begun.wait()
        assert pool.queue_depth == 3
        gate.let_through()
        heard = await asyncio.gather(*tasks)
        await pool.aclose()

    assert PASS_SLACK_S > 0
    assert recognizer.asked == [Effort.LIVE, Effort.LIVE, Effort.UTTERANCE, Effort.UTTERANCE]
    assert all(each.words == SENTENCE.script.words for each in heard)


async def test_a_window_that_waits_is_what_it_is_when_its_turn_comes() -> None:
    gate = Gate(asyncio.get_running_loop())
    recognizer = GatedRecognizer(gate)
    pool = Pool(engines(recognizer))
    turns: list[str] = []

    def renew(asked: RecognitionWindow) -> RecognitionWindow:
        turns.append(f"after {recognizer.calls}, in {threading.current_thread().name}")
        return replace(asked, pcm=silence(SENTENCE.length))

    async with asyncio.timeout(DEADLINE_S):
        first = asyncio.create_task(pool.recognize(window(Effort.LIVE)))
        await gate.begun.wait()
        short = replace(window(Effort.LIVE), pcm=silence(FRAME))
        second = asyncio.create_task(pool.recognize(short, renew))
        await asyncio.sleep(0)
        assert turns == []
        gate.let_through()
        heard = await asyncio.gather(first, second)
        await pool.aclose()

    assert turns == [f"after [1], in {threading.current_thread().name}"]
    assert all(each.words == SENTENCE.script.words for each in heard)


async def test_a_window_that_need_not_wait_stays_as_it_is() -> None:
    pool = Pool(engines(ScriptedRecognizer(SENTENCE.script)))

    async with asyncio.timeout(DEADLINE_S):
        heard = await pool.recognize(window(Effort.LIVE), lambda _: pytest.fail("it did not wait"))
        await pool.aclose()

    assert heard.words == SENTENCE.script.words


async def test_work_that_cannot_be_renewed_is_done_as_it_was_asked_for() -> None:
    def renew(_: object) -> Callable[[], object]:
        raise MemoryError

    async with lane_of() as lane, busy(lane) as gate:
        waiting = asyncio.create_task(lane.run(lambda: 7, renew=renew))
        await asyncio.sleep(0)
        gate.let_through()
        assert await waiting == 7
        assert await lane.run(lambda: 8) == 8, "its thread is free again"


async def test_live_windows_that_wait_are_recognised_together() -> None:
    gate = Gate(asyncio.get_running_loop())
    recognizer = GatedRecognizer(gate)
    pool = Pool(engines(recognizer))
    waiting = [Effort.LIVE, Effort.UTTERANCE, *4 * [Effort.LIVE]]

    async with asyncio.timeout(DEADLINE_S):
        tasks = [asyncio.create_task(pool.recognize(window(Effort.LIVE)))]
        await gate.begun.wait()
        tasks += [asyncio.create_task(pool.recognize(window(effort))) for effort in waiting]
        await asyncio.sleep(0)
        gate.let_through()
        heard = await asyncio.gather(*tasks)
        await pool.aclose()

    assert recognizer.calls == [1, 3, 2, 1], "one alone, then three, the most at once, and two"
    assert all(each.words == SENTENCE.script.words for each in heard)


async def test_work_that_fails_does_not_take_its_kin_along() -> None:
    lane = CallLane("test", 1, called, most=3)
    async with asyncio.timeout(DEADLINE_S):
        async with busy(lane):
            tasks = [
                asyncio.create_task(lane.run(call, kin="kin"))
                for call in (lambda: 1, lambda: 1 // 0, lambda: 3)
            ]
            await asyncio.sleep(0)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await lane.aclose()

    assert (outcomes[0], outcomes[2]) == (1, 3)
    assert isinstance(outcomes[1], ZeroDivisionError)


async def test_a_wrong_number_of_outcomes_is_told_and_leaves_the_thread_free() -> None:
    lane: Lane[int, int] = Lane("test", 1, lambda works: [0] * (2 - len(works)), most=2)
    async with asyncio.timeout(DEADLINE_S):
        tasks = [asyncio.create_task(lane.run(n, kin="kin")) for n in range(3)]
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert outcomes == [0, 0, 0]
        broken: Lane[int, int] = Lane("test", 1, lambda _works: [])
        with pytest.raises(ValueError, match="zip"):
            await broken.run(1)
        with pytest.raises(ValueError, match="zip"):
            await broken.run(2)
        await lane.aclose()
        await broken.aclose()


async def test_the_pool_carries_out_each_kind_of_work() -> None:
    pool = Pool(engines(ScriptedRecognizer(SENTENCE.script)))
    vad, diarizer = pool.vad(Samples(8_000)), pool.diarizer(Samples(8_000))

    async with asyncio.timeout(DEADLINE_S):
        frames = silence(2 * FRAME).reshape(-1, FRAME)
        scores = await pool.score(vad, Score(WorkId(1), Samples(8_000), frames))
        work = Diarize(WorkId(2), Samples(0), silence(DIARIZATION_WINDOW))
        labelled = await pool.label(diarizer, work, lambda asked: asked)
        heard = await pool.recognize(window(Effort.LIVE))
        await pool.aclose()

    # The sentence begins at sample 8 000, where this session does.
    assert scores == (1.0, 1.0)
    assert labelled.turns == SENTENCE.script.turns
    assert heard.words == SENTENCE.script.words
