"""Events wait in order; outdated ones give way when nobody reads."""

import asyncio

from trax_client.events import Event, Final, Partial, SpeechStart, Stats
from trax_client.inbox import UNREAD_LIMIT, Inbox


def moment(number: int) -> list[Event]:
    return [Partial(number, 0, ()), Stats(number, 0, 0, 0)]


async def read_all(inbox: Inbox) -> list[Event]:
    inbox.close()
    events: list[Event] = []
    while (event := await inbox.get()) is not None:
        events.append(event)
    return events


async def test_events_come_in_order_partials_and_all() -> None:
    inbox = Inbox()
    put = [*moment(1), SpeechStart(1, 0, 0), *moment(2), *moment(3)]
    for event in put:
        inbox.put(event)
    assert await read_all(inbox) == put


async def test_reader_waits_for_the_next_event_and_for_the_end() -> None:
    inbox = Inbox()
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put(SpeechStart(1, 0, 0))
    assert await reading == SpeechStart(1, 0, 0)
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.close()
    assert await reading is None
    assert await inbox.get() is None


async def test_unread_partials_and_statistics_are_bounded_and_nothing_else_is_lost() -> None:
    inbox = Inbox()
    durable = [Final(seq, 0, ()) for seq in range(1, 1_001)]
    for number, final in enumerate(durable):
        for event in [*moment(number), final, *moment(number)]:
            inbox.put(event)
        assert len(inbox._unread) <= 2 * (number + 1) + UNREAD_LIMIT + 5
    events = await read_all(inbox)
    assert [event for event in events if isinstance(event, Final)] == durable
    assert events[-2:] == moment(999)
