"""What was taken for said after each pass, where passes heard only parts of a session (pure).

A pass over a stretch says nothing about the rest, which is not the same as hearing silence there.
So stretches that lie beside each other become one row of words, and its gaps are filled with what
the row before has there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TypeAlias

from offline.domain import PassWord

Words: TypeAlias = tuple[PassWord, ...]
Part: TypeAlias = tuple[int, int]


def layers(whole: Iterable[Words], parts: Iterable[Words]) -> tuple[Words, ...]:
    """Return rows of words, each about the whole session, the oldest first.

    Args:
        whole: What passes over all of it heard, the oldest first; each is a row, even if empty.
        parts: What later passes heard, the oldest first; each over what lies between its first and
            its last word.
    """
    rows = list(whole)
    for row in _side_by_side(words for words in parts if words):
        rows.append(_filled(row, next(filter(None, reversed(rows)), ())))
    return tuple(rows)


def _side_by_side(parts: Iterable[Words]) -> Iterator[list[Words]]:
    """Yield passes that do not overlap together, as long as they follow each other."""
    row: list[Words] = []
    spans: list[Part] = []
    for words in parts:
        start_ms, end_ms = _part(words)
        if any(start_ms < end and start < end_ms for start, end in spans):
            yield row
            row, spans = [], []
        row.append(words)
        spans.append((start_ms, end_ms))
    if row:
        yield row


def _filled(row: Sequence[Words], before: Words) -> Words:
    parts = sorted(map(_part, row))
    starts = [start for start, _ in parts]

    def is_heard(word: PassWord) -> bool:
        middle_ms = (word.start_ms + word.end_ms) // 2
        index = bisect_right(starts, middle_ms) - 1
        return index >= 0 and middle_ms < parts[index][1]

    kept = (word for word in before if not is_heard(word))
    return tuple(sorted(chain(kept, *row), key=lambda word: (word.start_ms, word.end_ms)))


def _part(words: Words) -> Part:
    return words[0].start_ms, words[-1].end_ms
