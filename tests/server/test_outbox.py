"""What waits for a client, in which order, and when it is too much."""

import pytest

from server.codes import ErrorCode
from server.errors import PeerMistake, ServerFault
from server.journal import Entry, LastingEvent
from server.lifecycle import restart
from server.messages import Done, Pong
from server.outbox import UNREAD_PONGS, Outbox
from streaming.core.domain import Samples, UtteranceId
from streaming.core.events import Final, Partial, SpeechStarted, UtteranceEnded
from tests.server.events import span, word

U0 = UtteranceId(0)
PARTIAL = Partial(U0, (word("a", 0, 1),), 0)
NEWER = Partial(U0, (word("b", 0, 1),), 1)
DONE = Done(audio_ms=1, utterances=1, words=1, speakers=1, corrections=0)
STARTED = SpeechStarted(U0, Samples(0))


def outbox(after: int = 0, last_seq: int = 0, limit: int = 3) -> Outbox:
    return Outbox(after, last_seq, limit)


def test_only_the_newest_partial_is_kept() -> None:
    box = outbox()
    box.add_partial(PARTIAL)
    box.add_partial(NEWER)

    assert box.take_partial() == NEWER
    assert box.take_partial() is None


@pytest.mark.parametrize("event", [Final(U0, (word("a", 0, 1),)), UtteranceEnded(U0, span(0, 1))])
def test_a_partial_is_dropped_when_its_words_become_final(event: LastingEvent) -> None:
    box = outbox()
    box.add_partial(PARTIAL)
    box.add_entry(Entry(1, event))
    box.sent = 1

    assert box.take_partial() is None


def test_a_partial_waits_for_the_lasting_events_before_it() -> None:
    box = outbox()
    box.add_entry(Entry(1, STARTED))
    box.add_partial(PARTIAL)

    assert box.take_partial() is None
    box.sent = 1
    assert box.take_partial() == PARTIAL


def test_unread_events_are_bounded() -> None:
    box = outbox(limit=3)
    for seq in (1, 2, 3):
        box.add_entry(Entry(seq, STARTED))
    assert not box.cut.is_set()

    box.add_entry(Entry(4, STARTED))

    assert isinstance(box.ending, PeerMistake)
    assert box.ending.code is ErrorCode.NOT_READING
    assert box.cut.is_set()


def test_a_replay_does_not_count_as_unread() -> None:
    box = outbox(after=0, last_seq=1000, limit=3)
    for seq in (1001, 1002, 1003):
        box.add_entry(Entry(seq, STARTED))
    box.sent = 1001
    box.add_entry(Entry(1004, STARTED))
    assert not box.cut.is_set()

    box.add_entry(Entry(1005, STARTED))

    assert box.cut.is_set()


def test_unread_answers_are_bounded() -> None:
    box = outbox()
    for number in range(UNREAD_PONGS):
        box.add_pong(Pong(number))
    assert not box.cut.is_set()
    assert len(box.take_pongs()) == UNREAD_PONGS
    assert box.take_pongs() == []

    for number in range(UNREAD_PONGS + 1):
        box.add_pong(Pong(number))
    assert box.cut.is_set()


def test_only_the_first_reason_to_end_counts() -> None:
    box = outbox()
    box.end(DONE)
    box.end(restart())

    assert box.ending == DONE
    assert not box.cut.is_set()


def test_a_mistake_ends_also_what_would_be_done() -> None:
    box = outbox()
    box.end(DONE)
    box.end(
        PeerMistake(ErrorCode.AUDIO_AFTER_END, "The session ended", expected="end", got="audio")
    )
    box.end(DONE)

    assert isinstance(box.ending, PeerMistake)
    assert box.cut.is_set()


def test_a_refusal_cuts_the_connection() -> None:
    box = outbox()
    box.end(restart())

    assert isinstance(box.ending, ServerFault)
    assert box.cut.is_set()
    assert box.wake.is_set()
