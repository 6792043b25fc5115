"""What options accept, and what they say of what they do not."""

import argparse
from collections.abc import Callable

import pytest

from loadtest.values import above_zero, peer, server_url, several, whole


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (whole(1), "3", 3),
        (whole(0), "0", 0),
        (above_zero(), "0.5", 0.5),
        (above_zero(20), "20", 20.0),
        (several(whole(1)), "8,1,8,2", (1, 2, 8)),
        (server_url, "http://127.0.0.1:8000/?token=x", "http://127.0.0.1:8000/?token=x"),
    ],
)
def test_what_is_meant_is_read(read: Callable[[str], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (whole(1), "0", "a whole number of at least 1"),
        (whole(1, 5), "6", "a whole number from 1 to 5"),
        (whole(0), "1.5", "a whole number of at least 0"),
        (above_zero(), "nan", "a number above 0"),
        (above_zero(), "inf", "a number above 0"),
        (above_zero(), "-1", "a number above 0"),
        (above_zero(20), "21", "a number above 0, up to 20"),
        (above_zero(), "much", "a number above 0"),
        (several(whole(1)), "1,,2", "a whole number of at least 1"),
        (server_url, "nonsense", "a URL as `trax serve` prints it"),
        (server_url, "http://127.0.0.1:99999/", "a URL as `trax serve` prints it"),
        (peer, "whisperlivekit=ws://127.0.0.1:99999/asr", "KIND=URL"),
        (peer, "whisperlivekit=ws:///asr", "KIND=URL"),
        (peer, "other=ws://127.0.0.1:8001/", "KIND=URL"),
    ],
)
def test_what_is_not_is_told(read: Callable[[str], object], text: str, expected: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=expected):
        read(text)
