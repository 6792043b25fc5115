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
    UtteranceEnd,
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
    assert dialogue.opening(0).resume is None
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
    dialogue.outbox.put(b"aa", 0)
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
    opening = dialogue.opening(0)
    assert opening == Start(sample_rate=8_000, resume=Resume("s", "t", after=2))
    assert not dialogue.connected
    dialogue.receive(RESUMED)
    assert dialogue.info == RESUMED


def test_events_that_come_twice_are_returned_once() -> None:
    dialogue = opened()
    dialogue.receive(event(1))
    dialogue.receive(event(2))
    dialogue.opening(0)
    dialogue.receive(RESUMED)
    assert [dialogue.receive(event(seq)) for seq in (1, 2, 3)] == [None, None, event(3)]


def test_progress_is_new_events_and_acknowledgements_only() -> None:
    dialogue = opened()
    dialogue.outbox.put(b"aabb", 0)
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
    dialogue.opening(0)
    with pytest.raises(ProtocolViolation, match=r"ready\.session"):
        dialogue.receive(ready)


def test_errors_are_not_for_the_dialogue() -> None:
    with pytest.raises(ProtocolViolation):
        opened().receive(Error("overloaded", "full", "", "", retry=True))


def ten(**fields: object) -> Ready:
    """Return the `ready` of a session of at most ten samples."""
    limits = dataclasses.replace(READY.limits, session_ms=10)
    given = dataclasses.replace(READY, transcript="weekly-7", limits=limits)
    return dataclasses.replace(given, **fields)  # type: ignore[arg-type]  # each test knows its own


def sent(dialogue: Dialogue) -> list[str]:
    kinds = []
    while (message := dialogue.next_message()) is not None:
        kinds.append(message.type)
    return kinds


def test_a_session_as_long_as_may_be_ends_and_another_one_goes_on() -> None:
    dialogue = Dialogue(Start(transcript="new", sample_rate=1_000))
    dialogue.opening(0)
    dialogue.receive(ten())
    dialogue.outbox.put(b"ab" * 10, 1_000)
    assert sent(dialogue) == ["audio"]  # what fills it does not end it yet
    dialogue.outbox.put(b"cd" * 4, 2_000)
    dialogue.outbox.finalize()
    assert not dialogue.outbox.has_room
    assert sent(dialogue) == ["end"]
    # Its end was lost with the connection.
    dialogue.opening(2_000)
    dialogue.receive(ten(resumed=True, next=10))
    assert sent(dialogue) == ["end"]
    dialogue.outbox.finish()
    assert dialogue.receive(DONE) is None
    assert sent(dialogue) == []
    opening = dialogue.opening(5_000)
    assert (opening.transcript, opening.resume, opening.age_ms) == ("weekly-7", None, 3_004)
    dialogue.receive(ten(session="next"))
    assert sent(dialogue) == ["audio", "finalize", "end"]
    assert dialogue.before == 10
    assert dialogue.receive(DONE) == dialogue.done == DONE


def test_a_session_that_is_nearly_full_ends_between_two_utterances() -> None:
    dialogue = Dialogue(Start(sample_rate=1_000))
    dialogue.receive(ten())
    dialogue.outbox.put(b"ab" * 8, 0)
    assert sent(dialogue) == ["audio"]
    dialogue.receive(UtteranceEnd(1, 0, 0, 7))
    dialogue.outbox.put(b"ab", 0)
    assert sent(dialogue) == ["audio"]
    dialogue.receive(UtteranceEnd(2, 1, 7, 9))
    dialogue.outbox.put(b"ab", 0)
    assert sent(dialogue) == ["end"]


def test_a_session_that_was_ended_takes_no_more_audio() -> None:
    dialogue = opened()
    dialogue.outbox.put(b"aabb", 0)
    sent(dialogue)
    dialogue.opening(0)
    dialogue.receive(dataclasses.replace(RESUMED, ended=True, next=1))
    assert sent(dialogue) == ["end"]
    assert dialogue.receive(DONE) is None
    assert dialogue.opening(0).resume is None


def test_without_another_session_one_is_as_long_as_the_server_lets_it_be() -> None:
    dialogue = Dialogue(Start(sample_rate=1_000), renews=False)
    dialogue.receive(ten())
    dialogue.outbox.put(b"ab" * 12, 0)
    assert sent(dialogue) == ["audio"]


def test_an_ended_session_of_which_all_is_stored_is_not_gone_on_with() -> None:
    dialogue = Dialogue(Start(transcript="new", sample_rate=16_000))
    dialogue.receive(dataclasses.replace(READY, transcript="weekly-7", until=100_000))
    dialogue.outbox.put(b"ab" * 16_015, 0)
    dialogue.outbox.finish()
    sent(dialogue)
    assert dialogue.renew(16 * 999)
    # How much is stored is told in milliseconds.
    assert not dialogue.renew(16 * 1_000)
