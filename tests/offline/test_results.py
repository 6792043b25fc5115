"""A hearing survives its way to the database."""

from __future__ import annotations

import msgpack
import pytest

from offline.domain import PassWord
from offline.results import HeardVoice, HeardWord, Hearing
from streaming.core.domain import Permille


def test_what_is_encoded_is_decoded() -> None:
    hearing = Hearing(
        1_000,
        31_000,
        (
            HeardWord(PassWord(" Grüße", 1_200, 1_500, Permille(917)), 0),
            HeardWord(PassWord(" you", 1_500, 1_700, Permille(400))),
        ),
        (HeardVoice(b"\x00\x00\x80\x3f", 5_500), HeardVoice(b"", 200)),
        "de",
    )

    assert Hearing.decode(hearing.encode()) == hearing


def test_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 1 expected, got 2"):
        Hearing.decode(msgpack.packb([2]))
