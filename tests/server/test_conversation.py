"""The order of messages, credit, repeats and limits, without a socket."""

import json
import struct

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.codes import ErrorCode
from server.conversation import (
    Admission,
    Answer,
    Complete,
    Conversation,
    Flush,
    Hear,
    Open,
    Patience,
    Rejoin,
    Request,
)
from server.errors import PeerMistake
from server.messages import Encoding, Pong, Resume, Start
from server.wire import Subprotocol


def message(kind: str, **fields: object) -> bytes:
    packed = msgpack.packb({"type": kind, **fields})
    assert isinstance(packed, bytes)
    return packed


def samples(count: int) -> bytes:
    return struct.pack(f"<{count}h", *range(count))


def waiting(subprotocol: Subprotocol = Subprotocol.MSGPACK) -> Conversation:
    return Conversation(subprotocol, message_bytes=4096)


def listening(
    subprotocol: Subprotocol = Subprotocol.MSGPACK,
    *,
    encoding: Encoding = Encoding.PCM_S16LE,
    at: int = 0,
    until: int = 1000,
    longest: int = 5000,
) -> Conversation:
    conversation = waiting(subprotocol)
    start = {"type": "start"}
    json_frame = subprotocol is Subprotocol.JSON
    conversation.receive(json.dumps(start) if json_frame else message("start"))
    conversation.admit(Admission(encoding=encoding, next=at, until=until, longest=longest))
    return conversation


def refusal(conversation: Conversation, frame: bytes | str) -> ErrorCode:
    with pytest.raises(PeerMistake) as caught:
        conversation.receive(frame)
    assert caught.value.expected
    assert caught.value.got
    return caught.value.code


def test_start_asks_for_a_session() -> None:
    assert waiting().receive(message("start", language="de")) == Open(Start(language="de"))


def test_start_with_resume_asks_for_the_session_of_before() -> None:
    resume = {"session": "abc", "token": "def", "after": 7}

    request = waiting().receive(message("start", resume=resume))

    assert request == Rejoin(Resume("abc", "def", 7))


def test_second_start_is_refused() -> None:
    assert refusal(listening(), message("start")) is ErrorCode.START_TWICE


def test_start_again_before_the_answer_is_refused() -> None:
    conversation = waiting()
    conversation.receive(message("start"))

    assert refusal(conversation, message("start")) is ErrorCode.START_TWICE


@pytest.mark.parametrize(
    "frame", [message("finalize"), message("end"), message("audio", at=0, pcm=b"")]
)
def test_nothing_may_come_before_start(frame: bytes) -> None:
    assert refusal(waiting(), frame) is ErrorCode.AUDIO_BEFORE_START


@pytest.mark.parametrize("frame", [message("finalize"), message("audio", at=0, pcm=b"")])
def test_neither_audio_nor_finalize_may_follow_end(frame: bytes) -> None:
    conversation = listening()
    conversation.receive(message("end"))

    assert refusal(conversation, frame) is ErrorCode.AUDIO_AFTER_END


def test_second_end_changes_nothing() -> None:
    conversation = listening()

    assert not conversation.ended
    assert conversation.receive(message("end")) == Complete()
    assert conversation.receive(message("end")) is None
    assert conversation.ended


def test_finalize_asks_for_a_flush() -> None:
    assert listening().receive(message("finalize")) == Flush()


@pytest.mark.parametrize("ended", [False, True])
def test_ping_is_answered_whenever_it_comes(*, ended: bool) -> None:
    conversation = listening()
    if ended:
        conversation.receive(message("end"))

    assert conversation.receive(message("ping", id=9)) == Answer(Pong(9))


def test_ping_before_start_is_answered_and_start_still_awaited() -> None:
    conversation = waiting()

    assert conversation.receive(message("ping", id=1)) == Answer(Pong(1))
    assert conversation.patience is Patience.START


def test_messages_of_unknown_types_are_ignored() -> None:
    assert waiting().receive(message("dance", shoes=2)) is None


def test_audio_is_passed_on_in_order() -> None:
    conversation = listening()

    assert conversation.receive(message("audio", at=0, pcm=samples(10))) == Hear(samples(10))
    assert conversation.next == 10
    assert conversation.receive(message("audio", at=10, pcm=samples(5))) == Hear(samples(5))
    assert conversation.next == 15


def test_audio_of_the_json_subprotocol_continues_from_where_the_session_is() -> None:
    conversation = listening(Subprotocol.JSON, at=100)

    assert conversation.receive(samples(10)) == Hear(samples(10))
    assert conversation.next == 110


def test_a_gap_is_refused() -> None:
    assert refusal(listening(), message("audio", at=1, pcm=samples(1))) is ErrorCode.SAMPLE_GAP


def test_an_overlap_is_trimmed() -> None:
    conversation = listening(at=4)

    assert conversation.receive(message("audio", at=0, pcm=samples(10))) == Hear(samples(10)[8:])
    assert conversation.next == 10


def test_a_repeat_is_ignored() -> None:
    conversation = listening(at=10)

    assert conversation.receive(message("audio", at=0, pcm=samples(10))) is None
    assert conversation.next == 10


def test_audio_up_to_the_credit_is_taken_and_one_sample_more_is_not() -> None:
    conversation = listening(until=10)

    assert conversation.receive(message("audio", at=0, pcm=samples(10))) is not None
    assert refusal(conversation, message("audio", at=10, pcm=samples(1))) is ErrorCode.TOO_FAST


def test_credit_grows_and_never_shrinks() -> None:
    conversation = listening(until=10)

    assert conversation.grant(20) == 20
    assert conversation.grant(15) == 20
    assert conversation.receive(message("audio", at=0, pcm=samples(20))) is not None


def test_a_session_that_grows_too_long_is_refused_even_within_credit() -> None:
    conversation = listening(until=100, longest=10)

    assert refusal(conversation, message("audio", at=0, pcm=samples(11))) is ErrorCode.TOO_LARGE


def test_audio_that_ends_within_a_sample_is_refused() -> None:
    conversation = listening(encoding=Encoding.PCM_F32LE)

    assert refusal(conversation, message("audio", at=0, pcm=bytes(6))) is ErrorCode.MALFORMED


def test_float_audio_counts_four_bytes_a_sample() -> None:
    conversation = listening(encoding=Encoding.PCM_F32LE)

    conversation.receive(message("audio", at=0, pcm=bytes(8)))

    assert conversation.next == 2


def test_a_frame_at_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    conversation = listening(Subprotocol.JSON, until=5000)

    assert conversation.receive(bytes(4096)) is not None
    assert refusal(conversation, bytes(4098)) is ErrorCode.TOO_LARGE


def test_text_is_measured_in_bytes() -> None:
    conversation = waiting(Subprotocol.JSON)
    long = json.dumps({"type": "dance", "word": "ä" * 1500}, ensure_ascii=False)

    assert conversation.receive(long) is None
    assert refusal(conversation, long.replace("ä", "😀")) is ErrorCode.TOO_LARGE


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\xc1", ErrorCode.MALFORMED),
        (message("start", sample_rate="fast"), ErrorCode.MALFORMED),
        (message("start", sample_rate=96_000), ErrorCode.UNSUPPORTED),
        (message("start", encoding="opus"), ErrorCode.UNSUPPORTED),
    ],
)
def test_unreadable_frames_are_refused(frame: bytes, code: ErrorCode) -> None:
    assert refusal(waiting(), frame) is code


def test_a_silent_client_is_told_what_was_awaited() -> None:
    assert waiting().silence(5).code is ErrorCode.START_TIMEOUT
    assert listening().patience is Patience.ANYTHING
    assert listening().silence(5).code is ErrorCode.IDLE_TIMEOUT


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40)), max_size=30))
def test_whatever_is_repeated_each_sample_is_heard_once_and_in_order(
    pieces: list[tuple[int, int]],
) -> None:
    truth = samples(2000)
    conversation = listening(until=2000, longest=2000)
    heard = b""

    for back, length in pieces:
        at = max(0, conversation.next - back)
        piece = truth[2 * at : 2 * (at + length)]
        request: Request | None = conversation.receive(message("audio", at=at, pcm=piece))
        if request is not None:
            assert isinstance(request, Hear)
            heard += request.pcm

    assert heard == truth[: len(heard)]
    assert conversation.next * 2 == len(heard)
