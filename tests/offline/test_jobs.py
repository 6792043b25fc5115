"""Whose turn it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offline.jobs import LONGEST_URGENT_MS, JobKind, Rank, Task

PASSAGE = Task(JobKind.PASSAGE, "transcript", "session", 5_000, 5_000 + LONGEST_URGENT_MS)


@pytest.mark.parametrize("kind", JobKind)
def test_what_people_wait_for_comes_first(kind: JobKind) -> None:
    rank = replace(PASSAGE, kind=kind).rank

    assert rank is Rank[kind.name]
    assert rank.urgent is (kind in (JobKind.STRETCH, JobKind.PASSAGE))


@pytest.mark.parametrize("end_ms", [5_001 + LONGEST_URGENT_MS, None])
def test_a_long_passage_waits_like_a_file(end_ms: int | None) -> None:
    assert replace(PASSAGE, end_ms=end_ms).rank is Rank.UPLOAD
