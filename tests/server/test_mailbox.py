"""What waits for a member of a room, and when it is too much."""

import asyncio

from server.codes import CloseCode
from server.mailbox import TOO_SLOW, Dismissal, Mailbox

GONE = Dismissal(CloseCode.UNKNOWN_TRANSCRIPT, "gone")


async def test_frames_are_taken_in_their_order() -> None:
    box = Mailbox(10)
    box.put(b"a")
    box.put(b"b")

    assert [await box.take(), await box.take()] == [b"a", b"b"]


async def test_who_waits_gets_the_next_frame() -> None:
    box = Mailbox(10)
    waiting = asyncio.create_task(box.take())
    await asyncio.sleep(0)
    box.put(b"a")

    assert await waiting == b"a"


async def test_who_reads_too_slowly_is_dismissed() -> None:
    box = Mailbox(10)
    box.put(bytes(6))
    box.put(bytes(4))
    assert len([await box.take(), await box.take()]) == 2

    for _ in range(11):
        box.put(b"a")

    assert box.dismissal == TOO_SLOW
    assert await box.take() is None


async def test_what_was_taken_does_not_count() -> None:
    box = Mailbox(10)
    for _ in range(5):
        box.put(bytes(10))
        assert await box.take() == bytes(10)

    assert box.dismissal is None


async def test_one_frame_of_any_size_may_wait() -> None:
    box = Mailbox(10)
    box.put(bytes(1000))

    assert await box.take() == bytes(1000)


async def test_who_waits_learns_of_the_dismissal() -> None:
    box = Mailbox(10)
    waiting, dismissed = asyncio.create_task(box.take()), asyncio.create_task(box.dismissed())
    await asyncio.sleep(0)
    box.dismiss(GONE)

    assert await waiting is None
    await dismissed


async def test_only_the_first_reason_counts_and_nothing_is_sent_behind_it() -> None:
    box = Mailbox(10)
    box.put(b"a")
    box.dismiss(GONE)
    box.dismiss(TOO_SLOW)
    box.put(b"b")

    assert box.dismissal == GONE
    assert await box.take() is None
