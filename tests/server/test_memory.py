"""Tests of `server.memory`."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import numpy as np
import psutil
import pytest

from server import memory
from tests.server.editing import until
from tests.server.talking import DEADLINE_S

PIECE_BYTES = 64 * 1024
"""Small enough for glibc to keep for itself when it is free."""

PIECES = 2_000
"""120 MB together."""


def resident_bytes() -> int:
    return int(psutil.Process().memory_info().rss)


async def test_what_is_free_goes_back_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "TRIM_S", 0.01)
    pieces = [np.ones(PIECE_BYTES, np.uint8) for _ in range(PIECES)]
    holes, _kept = pieces[:-1], pieces[-1]  # What lies behind the holes keeps them.
    pieces.clear()
    holes.clear()
    before = resident_bytes()

    giving_back = asyncio.create_task(memory.give_back())
    async with asyncio.timeout(DEADLINE_S):
        await until(lambda: before - resident_bytes() >= PIECES * PIECE_BYTES // 2)
    giving_back.cancel()
    with suppress(asyncio.CancelledError):
        await giving_back
