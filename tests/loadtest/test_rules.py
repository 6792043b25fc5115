"""Tests of `loadtest.rules`."""

from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.errors import LoadtestError
from loadtest.rules import settings_for
from server.messages import Start
from server.settings import Settings
from server.terms import agree, session_settings
from streaming.core.domain import from_ms

SERVER = Settings(data_dir=Path("data"), cache_dir=Path("cache"))
ENGLISH = frozenset({"en"})


def test_without_rules_a_session_is_as_a_server_makes_it() -> None:
    start = Start(language="en", lookahead_ms=900)
    granted = session_settings(agree(start, SERVER, ENGLISH), None, SERVER)

    assert settings_for(start, SERVER, ENGLISH) == granted
    assert granted.lookahead == from_ms(900)


def test_each_rule_is_set_by_its_name() -> None:
    start = Start(language="en")
    plain = settings_for(start, SERVER, ENGLISH)

    changed = settings_for(start, SERVER, ENGLISH, ["step=400", "pause=650", "begin=0.6"])

    assert changed == replace(
        plain,
        live=replace(plain.live, step=from_ms(400)),
        endpoints=replace(plain.endpoints, pause=from_ms(650), begin=0.6),
    )


@pytest.mark.parametrize(
    ("rule", "message"),
    [("stride=4", "got 'stride'"), ("step=fast", "step: a number expected, got 'fast'")],
)
def test_an_unknown_rule_or_value_is_refused(rule: str, message: str) -> None:
    with pytest.raises(LoadtestError, match=message):
        settings_for(Start(language="en"), SERVER, ENGLISH, [rule])
