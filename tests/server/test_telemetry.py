"""Latencies and metrics: from the arrival of audio, and without anybody's words."""

import asyncio
import time

import pytest

from server.codes import ErrorCode
from server.journal import Entry
from server.telemetry import (
    BEAT_S,
    REMEMBERED_ARRIVALS,
    Arrivals,
    Load,
    SessionTelemetry,
    Telemetry,
)
from streaming.core.domain import Samples, UtteranceId
from streaming.core.events import Final, Partial, SpeechStarted
from tests.server.events import word

U0, U1 = UtteranceId(0), UtteranceId(1)
IDLE = Load(sessions=0, connections=0, lag=Samples(0), step=Samples(0), waiting=0)


def test_the_arrival_of_a_sample_is_that_of_the_piece_it_came_in() -> None:
    arrivals = Arrivals()
    arrivals.add(Samples(100), 1.0)
    arrivals.add(Samples(200), 2.0)

    assert arrivals.since(Samples(50), 5.0) == 4.0
    assert arrivals.since(Samples(100), 5.0) == 4.0
    assert arrivals.since(Samples(101), 5.0) == 3.0
    assert arrivals.since(Samples(201), 5.0) is None


def test_old_arrivals_are_forgotten_rather_than_guessed() -> None:
    arrivals = Arrivals()
    for number in range(1, REMEMBERED_ARRIVALS + 11):
        arrivals.add(Samples(number * 10), float(number))

    assert arrivals.since(Samples(15), 99.0) is None
    assert arrivals.since(Samples(110), 99.0) is None  # the oldest one kept may have begun before
    assert arrivals.since(Samples(120), 100.0) == 88.0


async def test_what_a_session_reports_is_counted() -> None:
    telemetry = Telemetry()
    session = SessionTelemetry(telemetry, Samples(16_000))
    session.audio_received(Samples(48_000))
    session.entry_told(Entry(1, SpeechStarted(U0, Samples(16_000))), 0)
    session.entry_told(Entry(2, Final(U0, (word("secret", 17_000, 18_000),))), 0)
    session.entry_told(Entry(3, Final(U0, (word("secret", 90_000, 91_000),))), 0)  # when?
    for utterance in (U0, U0, U1):
        session.partial_shown(Partial(utterance, (word("secret", 17_000, 18_000),), 0))
    session.partial_shown(Partial(UtteranceId(2), (), 0))
    session.partial_shown(Partial(UtteranceId(2), (word("secret", 90_000, 91_000),), 0))
    session.engine_failed("vad")

    text = telemetry.render(IDLE).decode()

    assert "trax_audio_seconds_total 2.0" in text
    assert "trax_final_latency_seconds_count 1.0" in text
    assert "trax_first_partial_latency_seconds_count 2.0" in text
    assert 'trax_engine_failures_total{engine="vad"} 1.0' in text
    assert "secret" not in text


def test_passes_that_are_left_out_are_counted_once() -> None:
    telemetry = Telemetry()
    sessions = [SessionTelemetry(telemetry, Samples(0)) for _ in range(2)]

    for count in (0, 1, 1, 3):
        sessions[0].entry_told(Entry(1, SpeechStarted(U0, Samples(0))), count)
    sessions[1].entry_told(Entry(1, SpeechStarted(U0, Samples(0))), 1)

    assert "trax_utterance_passes_left_out_total 4.0" in telemetry.render(IDLE).decode()


def test_the_present_load_is_shown() -> None:
    telemetry = Telemetry()
    telemetry.session_opened(resumed=True)
    telemetry.connection_refused(ErrorCode.OVERLOADED)
    load = Load(sessions=2, connections=3, lag=Samples(8_000), step=Samples(16_000), waiting=5)

    lines = telemetry.render(load).decode().splitlines()

    for line in (
        "trax_sessions 2.0",
        "trax_connections 3.0",
        "trax_lag_seconds 0.5",
        "trax_step_seconds 1.0",
        "trax_queue_depth 5.0",
        'trax_sessions_opened_total{how="resumed"} 1.0',
        'trax_connections_refused_total{code="overloaded"} 1.0',
    ):
        assert line in lines


def test_two_servers_in_one_process_count_for_themselves() -> None:
    first, second = Telemetry(), Telemetry()
    first.engine_failed("vad")

    assert "trax_engine_failures_total{" not in second.render(IDLE).decode()


@pytest.mark.slow
async def test_a_blocked_event_loop_is_noticed() -> None:
    telemetry = Telemetry()
    listening = asyncio.create_task(telemetry.listen_to_the_loop())
    async with asyncio.timeout(60):
        while "trax_event_loop_lag_seconds_count 0.0" in telemetry.render(IDLE).decode():
            time.sleep(BEAT_S + 0.05)  # noqa: ASYNC251 - this is what is to be noticed
            await asyncio.sleep(0)
    listening.cancel()

    assert 'trax_event_loop_lag_seconds_bucket{le="0.02"} 0.0' in telemetry.render(IDLE).decode()
