"""Tests of `loadtest.streams`, `lookahead`, `comparison` and their pictures, without a server."""

from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.clients import Granted
from loadtest.comparison import Compared
from loadtest.diarization import DiarizationErrors
from loadtest.distribution import Distribution
from loadtest.errors import LoadtestError
from loadtest.latency import LatencyReport, ServerReport, StreamReport
from loadtest.lookahead import LookaheadReport
from loadtest.plots import plot_lookahead, plot_streams
from loadtest.scoring import WordErrors
from loadtest.streams import StreamsReport, measure_streams


def stream(*, complete: bool = True) -> StreamReport:
    return StreamReport(
        final_s=None,
        shown_s=None,
        words=4,
        retracted=0,
        corrections=0,
        live=WordErrors(4, 1),
        corrected=None,
        speakers=DiarizationErrors(10, 1, 8, 0),
        complete=complete,
        lag_at_end_s=None,
        done_after_s=1,
        sent_late_s=0,
    )


def report(final_s: float, *streams: StreamReport) -> LatencyReport:
    return LatencyReport(
        recording="r",
        audio_s=10,
        granted=Granted("peer"),
        truth=True,
        final_s=Distribution.of([final_s]),
        shown_s=None,
        streams=streams or (stream(),),
        server=ServerReport(0.5, 1000),
    )


async def climb(*steps: LatencyReport | LoadtestError, rounds: int = 1) -> StreamsReport:
    left = list(steps)

    async def measure(_count: int) -> LatencyReport:
        step = left.pop(0)
        if isinstance(step, LoadtestError):
            raise step
        return step

    known = [found async for found in measure_streams("peer", (1, 2, 4), rounds, 3.0, measure)]
    assert [len(found.steps) for found in known] == [n + 1 for n in range(len(known))]
    return known[-1]


async def test_steps_end_with_the_first_that_is_too_slow() -> None:
    found = await climb(report(1), report(4), report(1))

    assert [step.streams for step in found.steps] == [1, 2]
    assert (found.most, found.bounded) == (1, True)


async def test_steps_end_with_a_refusal_and_keep_why() -> None:
    found = await climb(report(1), report(2), LoadtestError("full"))

    assert (found.most, found.bounded, found.steps[-1].failure) == (2, True, "full")


async def test_a_step_of_several_rounds_goes_by_their_median() -> None:
    found = await climb(report(1), report(5), report(2), report(4), report(5), report(1), rounds=3)

    assert [step.in_time(found.limit_s) for step in found.steps] == [True, False]
    assert [len(step.rounds) for step in found.steps] == [3, 3]


async def test_one_round_that_fails_or_misses_words_is_too_many() -> None:
    failed = await climb(report(1), LoadtestError("gone"), rounds=2)
    missed = await climb(report(1), report(1, stream(complete=False)), report(1), rounds=3)

    assert (failed.most, len(failed.steps[0].rounds), failed.steps[0].failure) == (0, 1, "gone")
    assert missed.most == 0


async def test_words_that_never_came_are_not_in_time() -> None:
    found = await climb(report(1, stream(), stream(complete=False)))

    assert (found.most, found.bounded) == (0, True)


async def test_more_may_be_kept_up_with_than_was_tried() -> None:
    found = await climb(report(1), report(1), report(3))

    assert (found.most, found.bounded) == (4, False)


def test_of_several_rounds_the_medians_are_told() -> None:
    compared = Compared("peer", (report(1), report(5), report(2)))

    assert compared.final_p50_s == 2
    assert compared.errors == 0.25
    assert compared.shown_p50_s is None
    assert compared.cpu_per_audio_s == 0.5


def test_what_is_not_known_of_a_round_is_not_known_of_all() -> None:
    compared = Compared("peer", (report(1), replace(report(1), server=None)))

    assert compared.cpu_per_audio_s is None


def test_a_look_ahead_adds_up_its_recordings() -> None:
    found = LookaheadReport(600, [report(1), report(3)])

    assert (found.live, found.final_p50_s) == (WordErrors(8, 2), 2)
    assert found.speakers == DiarizationErrors(20, 2, 16, 0)


@pytest.mark.slow
async def test_results_are_drawn(tmp_path: Path) -> None:
    streams = await climb(report(1), report(2), LoadtestError("full"))

    plot_streams([streams], tmp_path / "streams.png")
    plot_lookahead(
        [LookaheadReport(0, [report(1)]), LookaheadReport(600, [report(2)])],
        tmp_path / "lookahead.png",
    )

    for name in ("streams.png", "lookahead.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("done_after_s", "kept"), [(1, True), (5.1, False), (-9, False)])
def test_who_is_done_late_or_before_the_audio_does_not_keep_real_time(
    done_after_s: float, *, kept: bool
) -> None:
    assert replace(stream(), done_after_s=done_after_s).real_time is kept
