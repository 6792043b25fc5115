"""Audio is sent once per connection, in order, within credit, and kept until acknowledged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trax_client.errors import ProtocolViolation
from trax_client.outbox import FRAME_OVERHEAD_BYTES, MAX_FRAME_BYTES, Outbox
from trax_client.requests import Audio, End, Finalize


def opened(*, until: int = 1_000, sample_bytes: int = 2) -> Outbox:
    outbox = Outbox(sample_bytes)
    outbox.limit_frames(1 << 20)
    outbox.rewind(0, until)
    return outbox


def drain(outbox: Outbox) -> list[Audio | Finalize | End]:
    return list(iter(outbox.next_message, None))


def test_frames_are_whole_samples_and_the_rest_waits() -> None:
    outbox = opened(sample_bytes=4)
    outbox.put(b"abcdef", 0)
    assert drain(outbox) == [Audio(0, b"abcd")]
    outbox.put(b"gh", 0)
    assert drain(outbox) == [Audio(1, b"efgh")]
    outbox.put(b"xyz", 0)
    outbox.finish()
    assert drain(outbox) == [End()]


def test_nothing_goes_beyond_credit() -> None:
    outbox = opened(until=3)
    outbox.put(b"aabbcc", 0)
    assert outbox.has_room
    outbox.put(b"dd", 0)
    room_before = outbox.has_room
    assert drain(outbox) == [Audio(0, b"aabbcc")]
    outbox.acknowledge(0, 10)
    assert (room_before, outbox.has_room) == (False, True)
    assert drain(outbox) == [Audio(3, b"dd")]


def test_credit_never_shrinks_within_a_connection() -> None:
    outbox = opened(until=3)
    outbox.acknowledge(0, 1)
    outbox.put(b"aabbcc", 0)
    assert drain(outbox) == [Audio(0, b"aabbcc")]


def test_what_a_server_does_not_have_goes_on_in_another_session_counted_from_0() -> None:
    outbox = opened()
    outbox.put(b"aabbcc", 10_000)
    outbox.put(b"ddee", 12_000)
    outbox.finalize()
    drain(outbox)
    outbox.acknowledge(1, 1_000)
    # Two samples a second: the last of the first piece begins 0.5 s before its end.
    outbox.forget(2)
    assert outbox.recorded_ms(2) == 9_500
    outbox.forget(0)
    assert outbox.renumber() == 2
    outbox.rewind(0, 2)
    outbox.put(b"ff", 0)
    assert drain(outbox) == [Audio(0, b"ccdd")]
    outbox.acknowledge(2, 100)
    assert drain(outbox) == [Audio(2, b"ee"), Finalize(), Audio(3, b"ff")]
    outbox.forget(100)
    assert outbox.recorded_ms(2) is None
    assert (outbox.base, outbox.end) == (4, 4)


def test_frames_are_no_larger_than_either_side_likes() -> None:
    outbox = opened(until=1 << 20)
    outbox.put(bytes(2 * MAX_FRAME_BYTES), 0)
    assert outbox.has_frame
    assert {len(frame.pcm) for frame in drain(outbox) if isinstance(frame, Audio)} == {
        MAX_FRAME_BYTES
    }
    outbox.limit_frames(FRAME_OVERHEAD_BYTES + 10)
    outbox.rewind(0, 1 << 20)
    first = outbox.next_message()
    assert isinstance(first, Audio)
    assert len(first.pcm) == 10


def test_acknowledged_audio_is_forgotten_and_the_rest_sent_again() -> None:
    outbox = opened()
    outbox.put(b"aabbccdd", 0)
    drain(outbox)
    assert outbox.acknowledge(1, 1_000)
    assert not outbox.acknowledge(1, 1_000)
    assert (outbox.base, outbox.end) == (1, 4)
    outbox.rewind(2, 1_000)
    assert drain(outbox) == [Audio(2, b"ccdd")]


def test_end_comes_after_all_audio_and_again_on_each_connection() -> None:
    outbox = opened(until=1)
    outbox.put(b"aabb", 0)
    outbox.finish()
    assert outbox.ended
    assert drain(outbox) == [Audio(0, b"aa")]
    outbox.acknowledge(1, 2)
    assert drain(outbox) == [Audio(1, b"bb"), End()]
    outbox.rewind(2, 2)
    assert drain(outbox) == [End()]


def test_finalize_stands_where_it_was_asked_for() -> None:
    outbox = opened()
    outbox.put(b"aab", 0)
    outbox.finalize()
    outbox.finalize()
    outbox.put(b"bcc", 0)
    outbox.finalize()
    assert drain(outbox) == [Audio(0, b"aa"), Finalize(), Audio(1, b"bbcc"), Finalize()]
    outbox.finalize()
    assert drain(outbox) == [Finalize()]


def test_finalize_is_repeated_until_audio_after_it_was_acknowledged() -> None:
    outbox = opened()
    outbox.put(b"aa", 0)
    outbox.finalize()
    outbox.put(b"bb", 0)
    drain(outbox)
    outbox.acknowledge(1, 1_000)
    outbox.rewind(2, 1_000)
    assert drain(outbox) == [Finalize()]
    outbox.acknowledge(2, 1_000)
    outbox.rewind(2, 1_000)
    assert drain(outbox) == []


@pytest.mark.parametrize("wanted", [0, 4])
def test_server_cannot_want_what_is_forgotten_or_was_never_there(wanted: int) -> None:
    outbox = opened()
    outbox.put(b"aabbcc", 0)
    drain(outbox)
    outbox.acknowledge(1, 1_000)
    with pytest.raises(ProtocolViolation, match=r"ready\.next: expected 1\.\.3"):
        outbox.rewind(wanted, 1_000)


def test_server_cannot_acknowledge_what_was_not_sent() -> None:
    outbox = opened(until=1)
    outbox.put(b"aabb", 0)
    drain(outbox)
    with pytest.raises(ProtocolViolation, match=r"ack\.samples: expected at most 1, got 2"):
        outbox.acknowledge(2, 2)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.binary(max_size=9)),
        st.tuples(st.just("ack"), st.integers(0, 9)),
        st.tuples(st.just("cut"), st.integers(0, 9)),
        st.tuples(st.just("send"), st.just(0)),
    )
)


@pytest.mark.slow
@given(steps=STEPS, sample_bytes=st.sampled_from([2, 4]), frame=st.integers(1, 5))
def test_server_hears_exactly_what_was_put_whatever_happens(
    steps: list[tuple[str, int | bytes]], sample_bytes: int, frame: int
) -> None:
    outbox = Outbox(sample_bytes)
    outbox.limit_frames(FRAME_OVERHEAD_BYTES + frame * sample_bytes)
    outbox.rewind(0, 4)
    put, heard, acknowledged = b"", b"", 0

    def send() -> None:
        nonlocal heard
        for message in drain(outbox):
            assert isinstance(message, Audio)
            assert message.at == len(heard) // sample_bytes
            assert 0 < len(message.pcm) <= frame * sample_bytes
            heard += message.pcm
            assert len(heard) // sample_bytes <= acknowledged + 4

    for step, value in [*steps, ("cut", 0), ("send", 0)]:
        match step, value:
            case "put", bytes():
                outbox.put(value, 0)
                put += value
            case "ack", int():
                acknowledged = min(acknowledged + value, len(heard) // sample_bytes)
                outbox.acknowledge(acknowledged, acknowledged + 4)
            case "cut", int():
                kept = max(acknowledged, len(heard) // sample_bytes - value)
                heard = heard[: kept * sample_bytes]
                outbox.rewind(kept, acknowledged + 4)
            case _:
                send()
    while len(heard) // sample_bytes < len(put) // sample_bytes:
        acknowledged = len(heard) // sample_bytes
        outbox.acknowledge(acknowledged, acknowledged + 4)
        send()
    assert heard == put[: len(heard)]
