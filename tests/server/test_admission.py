"""Who gets a session, by how many there are and how far they are behind."""

import pytest

from server.admission import refuse
from server.codes import ErrorCode
from server.settings import Settings
from streaming.core.domain import Samples, from_ms

SETTINGS = Settings(max_sessions=3, max_lag_ms=2_000, retry_after_ms=1_234)


def behind(*lateness_ms: int) -> list[Samples]:
    return [from_ms(ms) for ms in lateness_ms]


@pytest.mark.parametrize("lateness", [[], behind(0), behind(2_000, 2_000)])
def test_there_is_room(lateness: list[Samples]) -> None:
    assert refuse(lateness, SETTINGS) is None


def test_one_session_that_is_far_behind_does_not_close_the_door() -> None:
    settings = Settings(max_sessions=9, max_lag_ms=2_000)

    assert refuse(behind(0, 90_000, 100), settings) is None


def test_one_too_many_is_refused() -> None:
    refusal = refuse(behind(0, 0, 0), SETTINGS)

    assert refusal is not None
    assert refusal.code is ErrorCode.OVERLOADED
    assert refusal.as_message().retry is True
    assert refusal.retry_after_ms == 1_234


def test_nobody_is_added_to_sessions_that_are_behind() -> None:
    refusal = refuse(behind(2_100, 2_050), SETTINGS)

    assert refusal is not None
    assert refusal.got == "2075 ms"
