"""Tests of `loadtest.report`; the tables are looked at by `test_commands`."""

import json
from pathlib import Path

import pytest

from loadtest.distribution import Distribution
from loadtest.report import NOTHING, plain, spread, write_json
from loadtest.scoring import WordErrors


def test_a_result_has_its_fields_and_what_follows_from_them(tmp_path: Path) -> None:
    result = {"errors": WordErrors(4, 1, 0, 1), "none": None, "names": ("a", "b")}

    write_json(tmp_path / "result.json", result)

    written = json.loads((tmp_path / "result.json").read_text())
    assert written.pop("machine")["cores"] > 0
    assert written == {
        "errors": {
            "words": 4,
            "substitutions": 1,
            "deletions": 0,
            "insertions": 1,
            "total": 2,
            "rate": 0.5,
        },
        "none": None,
        "names": ["a", "b"],
    }


def test_what_json_has_no_number_for_is_null() -> None:
    assert plain([float("inf"), float("nan"), 0.1234567891]) == [None, None, 0.123457]


def test_a_path_is_written_without_the_folders_of_this_machine() -> None:
    assert plain(Path("somewhere") / "talk.flac") == "talk.flac"


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(TypeError, match="got object"):
        plain(object())


def test_no_values_are_a_dash() -> None:
    assert spread(None) == (NOTHING,) * 3
    assert spread(Distribution.of([1.0, 2.0])) == ("1.50", "1.90", "2.00")
