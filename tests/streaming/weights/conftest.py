"""A folder of small wheels, an empty cache, and one that was fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from streaming.weights import ignore_progress
from tests.streaming.weights.workshop import build_wheels, fetcher


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with the wheels of the workshop's catalogue."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    build_wheels(folder)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache that does not exist yet."""
    return tmp_path / "cache"


@pytest.fixture
def fetched(wheels: Path, cache: Path) -> Path:
    """A cache with everything in it that can be fetched."""
    fetcher(wheels).fetch(["pair", "a", "b"], cache, ignore_progress)
    return cache
