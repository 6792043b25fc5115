"""The order of messages, and each event once."""

import dataclasses

import pytest

from trax_client.dialogue import Dialogue
from trax_client.errors import ProtocolViolation
from trax_client.events import (
    Ack,
    Done,
    Error,
    Limits,
    Models,
    Partial,
    Pong,
    Ready,
    SpeechStart,
    Stats,
)
from trax_client.requests import Audio, Resume, Start

READY = Ready(
    session="s",
    token="t",
    transcript=None,
    sync=None,
    next=0,
    until=100,
    resumed=False,
    ended=False,
    language="auto",
    lookahead_ms=600,
    max_delay_ms=4_000,
    diarization=True,
    diarization_latency_ms=None,
    finals="word",
    limits=Limits(65_536, 60_000, 30_000, 3_600_000),
    models=Models("r", "v", None),
)
RESUMED = dataclasses.replace(READY, resumed=True)
DONE = Done(0, 0, 0, 0, 0)


def event(seq: int) -> SpeechStart:
    return SpeechStart(seq, 0, 0)


def opened() -> Dialogue:
    dialogue = Dialogue(Start(sample_rate=8_000))
    assert dialogue.opening().resume is None
    assert dialogue.receive(READY) is None
    return dialogue


@pytest.mark.parametrize("transcript", ["weekly-7", "new"])
def test_ready_without_the_transcript_that_was_asked_for_is_refused(transcript: str) -> None:
    dialogue = Dialogue(Start(transcript=transcript))
    with pytest.raises(ProtocolViolation, match=r"^ready\.transcript: expected the transcript"):
        dialogue.receive(READY)
    dialogue.receive(dataclasses.replace(READY, transcript="weekly-7"))
    assert dialogue.connected


def test_nothing_is_sent_before_ready() -> None:
    dialogue = Dialogue(Start())
    dialogue.outbox.put(b"aa")
    assert dialogue.next_message() is None
    dialogue.receive(READY)
    assert dialogue.next_message() == Audio(0, b"aa")


def test_what_a_caller_should_see_is_returned() -> None:
    dialogue = opened()
    stats, partial = Stats(1, 1, 0, 500), Partial(0, 0, ())
    assert dialogue.receive(event(1)) == event(1)
    assert dialogue.receive(partial) == partial
    assert dialogue.receive(stats) == dialogue.stats == stats
    assert dialogue.receive(Pong(1)) is None
    assert dialogue.receive(Ack(0, 200)) is None
    assert dialogue.receive(DONE) == dialogue.done == DONE
    assert dialogue.sample_rate == 8_000


def test_resume_asks_for_what_follows_the_last_event() -> None:
    dialogue = opened()
    dialogue.receive(event(1))
    dialogue.receive(event(2))
    opening = dialogue.opening()
    assert opening == Start(sample_rate=8_000, resume=Resume("s", "t", after=2))
    assert not dialogue.connected
    dialogue.receive(RESUMED)
    assert dialogue.info == RESUMED


def test_events_that_come_twice_are_returned_once() -> None:
    dialogue = opened()
    dialogue.receive(event(1))
    dialogue.receive(event(2))
    dialogue.opening()
    dialogue.receive(RESUMED)
    assert [dialogue.receive(event(seq)) for seq in (1, 2, 3)] == [None, None, event(3)]


def test_progress_is_new_events_and_acknowledgements_only() -> None:
    dialogue = opened()
    dialogue.outbox.put(b"aabb")
    dialogue.next_message()
    for message in (Pong(1), Stats(0, 0, 0, 0), Partial(0, 0, ()), Ack(0, 200)):
        dialogue.receive(message)
    assert dialogue.progress == 0
    dialogue.receive(Ack(1, 200))
    dialogue.receive(Ack(1, 300))
    dialogue.receive(event(1))
    dialogue.receive(event(1))
    assert dialogue.progress == 2


def test_missing_event_is_a_violation() -> None:
    dialogue = opened()
    dialogue.receive(event(1))
    with pytest.raises(ProtocolViolation, match="seq: expected 2, got 3"):
        dialogue.receive(event(3))


def test_ready_comes_first_and_once() -> None:
    with pytest.raises(ProtocolViolation, match="expected ready, got pong"):
        Dialogue(Start()).receive(Pong(1))
    with pytest.raises(ProtocolViolation, match="one ready"):
        opened().receive(READY)


@pytest.mark.parametrize("ready", [READY, dataclasses.replace(RESUMED, session="other")])
def test_another_session_is_no_answer_to_a_resume(ready: Ready) -> None:
    dialogue = opened()
    dialogue.opening()
    with pytest.raises(ProtocolViolation, match=r"ready\.session"):
        dialogue.receive(ready)


def test_errors_are_not_for_the_dialogue() -> None:
    with pytest.raises(ProtocolViolation):
        opened().receive(Error("overloaded", "full", "", "", retry=True))
