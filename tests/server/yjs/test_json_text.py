"""JSON that every strict parser takes, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.yjs.json_text import parse_json
from server.yjs.varints import MAX_DEPTH

numbers = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(value=values, ascii_only=st.booleans())
def test_values_come_back(value: object, *, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nul",
        "1 2",
        "'a'",
        "\ufeffnull",
        "NaN",
        "-Infinity",
        "1e999",
        "1" + "0" * 400,
        "1" + "0" * 10_000,
        '"\\ud800"',
        '{"\\udc00": 1}',
        '"\x01"',
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
    ],
)
def test_what_others_cannot_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^JSON"):
        parse_json(text)


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
def test_json_is_not_nested_without_end(opened: str, closed: str) -> None:
    assert parse_json(opened * MAX_DEPTH + "1" + closed * MAX_DEPTH)

    with pytest.raises(ValueError, match=r"^JSON with at most 32 levels of lists and maps$"):
        parse_json(opened * (MAX_DEPTH + 1) + "1" + closed * (MAX_DEPTH + 1))


def test_a_pair_of_escaped_surrogates_is_one_character() -> None:
    assert parse_json('"\\ud83d\\ude00"') == "😀"
