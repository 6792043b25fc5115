"""The note beside a converted file survives writing and reading, and nothing else does."""

from __future__ import annotations

import dataclasses

import pytest

from streaming.weights.manifest import Manifest, sources_of
from streaming.weights.weight import Converted
from tests.streaming.weights.workshop import CONVERSION, A, pinned

assert isinstance(A.supply, Converted)
SUPPLY = A.supply
MANIFEST = Manifest(pinned("a.onnx", b"graph"), 1, sources_of(SUPPLY), CONVERSION)


def test_reading_returns_what_was_written() -> None:
    assert Manifest.from_json(MANIFEST.to_json()) == MANIFEST


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"{", b"[]", b"{}", b'{"output": 1}', b"null", MANIFEST.to_json()[:99]],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a manifest"):
        Manifest.from_json(content)


def test_pairs_that_are_none_are_refused() -> None:
    content = MANIFEST.to_json().replace(b'"sources": {', b'"sources": 1, "other": {')

    with pytest.raises(ValueError, match="not a manifest"):
        Manifest.from_json(content)


def test_it_belongs_to_the_conversion_that_the_catalogue_asks_for() -> None:
    assert MANIFEST.is_of(SUPPLY)


def test_it_does_not_belong_to_another_recipe_or_checkpoint() -> None:
    assert not MANIFEST.is_of(dataclasses.replace(SUPPLY, recipe=2))
    assert not MANIFEST.is_of(dataclasses.replace(SUPPLY, checkpoint=pinned("a.pt", b"other")))
