"""What a name in the settings means, and what is said of several weights at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from streaming.errors import MissingWeightError, UnknownWeightError
from streaming.weights import (
    CataloguedModel,
    HubModel,
    LocalModel,
    State,
    locate,
    overview,
    verify,
)
from tests.streaming.weights.workshop import CATALOGUE, PAIR


def test_a_catalogued_name_is_a_verified_folder(
    fetched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fetched.parent)

    located = locate("pair", Path(fetched.name), catalogue=CATALOGUE)

    assert located == CataloguedModel(PAIR, fetched / "pair")


def test_a_catalogued_name_is_refused_when_not_fetched(cache: Path) -> None:
    with pytest.raises(MissingWeightError):
        locate("pair", cache, catalogue=CATALOGUE)


def test_an_existing_path_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    for spelling in (str(tmp_path / "mine"), "mine", "./mine", "~/mine"):
        assert locate(spelling, tmp_path, catalogue=CATALOGUE) == LocalModel(tmp_path / "mine")


@pytest.mark.parametrize("name", ["small", "large-v3-turbo", "distil-small.en", "owner/repo-v1.0"])
def test_a_hubs_name_is_passed_on(name: str, cache: Path) -> None:
    assert locate(name, cache, catalogue=CATALOGUE) == HubModel(name)


@pytest.mark.parametrize("name", ["", "/no/such/path", "./none", "~/none", "a/b/c", "a b", "..."])
def test_what_can_be_nothing_of_all_is_refused(name: str, cache: Path) -> None:
    with pytest.raises(UnknownWeightError) as raised:
        locate(name, cache, catalogue=CATALOGUE)

    assert raised.value.known == tuple(CATALOGUE)
    assert repr(name) in str(raised.value)
    assert "pair, a, b, inside" in str(raised.value)


def test_an_overview_has_a_verdict_for_every_weight(fetched: Path) -> None:
    (fetched / "b" / "b.onnx").write_bytes(b"")

    states = {v.weight.name: v.state for v in overview(fetched, catalogue=CATALOGUE)}

    assert states == {
        "pair": State.PRESENT,
        "a": State.PRESENT,
        "b": State.DAMAGED,
        "inside": State.MISSING,
    }


def test_verifying_nothing_in_particular_verifies_all(fetched: Path) -> None:
    verdicts = verify((), fetched, catalogue=CATALOGUE)

    assert [verdict.weight.name for verdict in verdicts] == list(CATALOGUE)


def test_verifying_keeps_the_order_and_drops_repetitions(fetched: Path) -> None:
    verdicts = verify(["b", "a", "b"], fetched, catalogue=CATALOGUE)

    assert [verdict.weight.name for verdict in verdicts] == ["b", "a"]


def test_verifying_an_unknown_name_is_refused(fetched: Path) -> None:
    with pytest.raises(UnknownWeightError, match="'small'"):
        verify(["a", "small"], fetched, catalogue=CATALOGUE)
