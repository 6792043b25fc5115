"""What one member may take of everybody's time: much at once, a share of it for long."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from server import allowance as module
from server.allowance import DEBT_S, PATIENCE_S, SAVED_S, SHARE, Allowance
from server.auth import fingerprint
from server.room import Room
from server.storage.values import Role
from server.yjs import messages
from tests.server.editing import TRANSCRIPT, Editor, editing, open_rooms, store_of, transcribing
from tests.server.test_room import Peer

LINK = "a-token-of-a-link"


def test_what_is_saved_may_be_taken_at_once() -> None:
    allowance = Allowance(0.0)

    allowance.charge(SAVED_S, 0.0)

    assert allowance.pause_s(0.0) == 0.0


def test_a_debt_is_paid_by_a_pause() -> None:
    allowance = Allowance(0.0)
    allowance.charge(SAVED_S + 0.05, 0.0)

    assert allowance.pause_s(0.0) == pytest.approx(0.05 / SHARE)
    assert allowance.pause_s(0.3) == pytest.approx(0.05 / SHARE - 0.3)
    assert allowance.pause_s(1.0) == 0.0


def test_neither_savings_nor_debts_grow_without_end() -> None:
    allowance = Allowance(0.0)
    allowance.charge(3600.0, 0.0)
    assert allowance.pause_s(0.0) == pytest.approx(DEBT_S / SHARE)

    allowance.charge(SAVED_S + SHARE, 3600.0)
    assert allowance.pause_s(3600.0) == pytest.approx(1.0)


def always_in_debt(allowance: Allowance, until_s: float) -> float:
    """Send again as soon as one may; return the time."""
    now_s = 0.0
    while now_s < until_s:
        allowance.charge(0.2, now_s)
        now_s += max(0.01, allowance.pause_s(now_s))
    allowance.charge(0.2, now_s)
    return now_s


def test_who_is_in_debt_all_the_time_exhausts_patience() -> None:
    allowance = Allowance(0.0)

    assert not allowance.exhausted(always_in_debt(allowance, PATIENCE_S / 2))
    allowance = Allowance(0.0)
    assert allowance.exhausted(always_in_debt(allowance, PATIENCE_S + 20))


def test_a_second_of_quiet_gives_patience_back() -> None:
    allowance = Allowance(0.0)
    now_s = always_in_debt(allowance, PATIENCE_S - 5)

    now_s += allowance.pause_s(now_s) + 1.1
    allowance.charge(0.2, now_s)
    allowance.charge(5.0, now_s + 10)

    assert not allowance.exhausted(now_s + 10)


async def costs(room: Room, peer: Peer, message: messages.Message) -> float:
    """Return what a message takes of its sender's allowance."""
    allowance = peer.member.allowance = Allowance(room._clock())
    allowance._left_s = 0.0
    await peer.say(message)
    return -allowance._left_s


async def test_who_makes_others_busy_pays_for_it(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (_, opened), opened.enter(TRANSCRIPT) as room:
        peer = Peer(room)
        peer.text.insert(0, 60_000 * "a")
        long = messages.Update(peer.changes[-1])
        shown = [messages.Awareness(bytes([1, 7, clock, 2, 123, 125])) for clock in (1, 2)]
        alone = await costs(room, peer, shown[0])
        asked = await costs(room, peer, messages.SyncStep1(b"\0"))
        inspected = await costs(room, peer, long)
        of_long = await costs(room, peer, messages.SyncStep1(b"\0"))
        who = await costs(room, peer, messages.QueryAwareness())
        again = await costs(room, peer, shown[0])
        for _ in range(50):
            Peer(room, writes=False)
        before_many = await costs(room, peer, shown[1])

    assert inspected > 10 * asked
    assert of_long > 3 * asked
    assert before_many > 10 * alone
    assert alone > again
    assert 0 < who < inspected


@pytest.mark.slow
async def test_a_viewer_who_floods_is_slowed_then_sent_away_and_others_edit_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAVED_S", 0.2)
    monkeypatch.setattr(module, "PATIENCE_S", 0.2)
    # As on a machine so fast that all of this costs more than it earns meanwhile.
    monkeypatch.setattr("server.room.RECIPIENT_S", 1e-3)
    async with transcribing(tmp_path) as server:
        store_of(server).links.add(TRANSCRIPT, fingerprint(LINK), Role.VIEWER)
        async with (
            editing(server, TRANSCRIPT) as ada,
            editing(server, TRANSCRIPT) as bob,
            editing(server, TRANSCRIPT, Editor(), LINK) as flood,
        ):
            sent = 0
            with suppress(ConnectionClosed):
                while True:
                    sent += 1
                    await flood.present(cursor=sent)
                    if sent % 20 == 0:
                        await ada.write(0, f"{sent} ")
                        await bob.until_says(f"{sent} ")
            await flood.until(lambda: flood.code != -1)
            await ada.write(0, "still here")

    assert flood.code == 4429
    assert (ada.code, bob.code) == (1000, 1000)
    assert sent > 20
