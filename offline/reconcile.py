"""A pass's words put in place of those of an earlier pass, where nobody touched them.

The two passes' own words are compared, never the text: whoever plans finds the same hunks. A hunk
is applied only where each word that it replaces still stands as it was written, one right behind
the other, every character by a machine. What a person wrote, changed or moved stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from offline.domain import PassWord, Segment
from offline.edits import Delete, Edit, InsertText
from offline.view import Standing, View
from streaming.core.agreement import agreement_key


@dataclass(frozen=True, slots=True)
class Hunk:
    """Words `[old_first, old_end)` of one pass that another hears as `[new_first, new_end)`.

    One of the two may be empty.
    """

    old_first: int
    old_end: int
    new_first: int
    new_end: int


def hunks(old: Sequence[PassWord], new: Sequence[PassWord]) -> Iterator[Hunk]:
    """Yield where two passes over the same speech differ, from left to right.

    Words that differ in case or punctuation only are hunks of one word each.
    """
    ours, theirs = ([agreement_key(word.text) for word in words] for words in (old, new))
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag != "equal":
            yield Hunk(i1, i2, j1, j2)
            continue
        for i, j in zip(range(i1, i2), range(j1, j2), strict=True):
            if old[i].text != new[j].text:
                yield Hunk(i, i + 1, j, j + 1)


def correct(view: View, old: Segment, new: Segment) -> list[Edit]:
    """Return the edits that make the text say `new` where it says `old`.

    Args:
        view: Its passes hold both.
        old: Words that were written before, in one or several segments.
        new: What was said there instead.
    """
    standing = {
        item.word - old.first: item
        for item in view.items(view.around(old.pass_id, old.first, old.end))
        if isinstance(item, Standing)
        and item.pass_id == old.pass_id
        and old.first <= item.word < old.end
        and item.exact
    }
    edits: list[Edit] = []
    for hunk in hunks(view.said(old), view.said(new)):
        alternative = Segment(new.pass_id, new.first + hunk.new_first, new.first + hunk.new_end)
        if hunk.old_first == hunk.old_end:
            edits += _insert(view, standing, hunk.old_first, alternative)
        else:
            edits += _replace(view, standing, range(hunk.old_first, hunk.old_end), alternative)
    return edits


def _replace(
    view: View, standing: Mapping[int, Standing], numbers: range, alternative: Segment
) -> list[Edit]:
    words = [standing[number] for number in numbers if number in standing]
    start, end = (words[0].start, words[-1].end) if words else (0, 0)
    unbroken = sum(word.end - word.start for word in words) == end - start
    if len(words) < len(numbers) or not unbroken or not view.by_machine(start, end):
        return []
    deletion = Delete(start, end)
    if alternative.first == alternative.end:
        return [deletion]
    text = _text(view, alternative)
    return [
        InsertText(start, text if view.text[start].isspace() else text.lstrip(), alternative),
        deletion,
    ]


def _insert(
    view: View, standing: Mapping[int, Standing], number: int, alternative: Segment
) -> list[Edit]:
    """Return what inserts words between word `number` and the one before it."""
    before, after = standing.get(number - 1), standing.get(number)
    text = _text(view, alternative)
    if before is not None and (after is None or view.text[before.end : after.start] in ("", "\n")):
        return [InsertText(before.end, text, alternative)]
    if after is None:
        return []
    if view.text[after.start].isspace():
        return [InsertText(after.start, text, alternative)]
    # At the start of a turn, where the first word stands without its space.
    space = (
        " " if view.said(after.segment)[after.word - after.segment.first].text[:1] == " " else ""
    )
    return [InsertText(after.start, text.lstrip() + space, alternative)]


def _text(view: View, segment: Segment) -> str:
    return "".join(word.text for word in view.said(segment))
