"""A long pass in portions, each of which is corrected by itself.

Whoever corrects three hours in one step holds up all who edit meanwhile, and begins anew when it is
interrupted. So a pass is cut where neither it nor what was believed has a word, if possible between
words on which both agree: there, nothing on one side has to do with anything on the other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from offline.belief import Belief
from offline.comparison import Portion
from offline.domain import PassWord, Segment
from offline.view import View
from streaming.core.agreement import agreement_key

SHORTEST_MS = 20_000
LONGEST_MS = 60_000
"""Between these a cut is looked for; comparing costs the square of a portion's length."""

MOST_WORDS = 400
"""Of one portion, however quickly they were said."""


def portions(view: View, belief: Belief, new: Segment, start_ms: int, end_ms: int) -> list[Portion]:
    """Return the portions of a pass, in order.

    They are found alike by whoever looks, before and after some of them were corrected, and may
    change where none was.

    Args:
        view: Its passes hold all words.
        belief: What machines believe of the session.
        new: All words that the pass heard in the span, in order of time.
        start_ms: Where the span begins, on the transcript's clock.
        end_ms: Where it ends.
    """
    pauses = _Pauses(view.said(new), [view.heard(word) for word in belief.words])
    found: list[Portion] = []
    first, begun_ms, sealed = 0, start_ms, False
    while True:
        cut = _cut(pauses, first, begun_ms)
        if cut is None:
            words = Segment(new.pass_id, new.first + first, new.end)
            return [*found, Portion(words, begun_ms, max(end_ms, begun_ms), sealed)]
        index, at_ms = cut
        words = Segment(new.pass_id, new.first + first, new.first + index)
        found.append(Portion(words, begun_ms, at_ms, sealed, sealed_end=True))
        first, begun_ms, sealed = index, at_ms, True


def _cut(pauses: _Pauses, first: int, begun_ms: int) -> tuple[int, int] | None:
    """Return before which word to cut, and when that is; `None` for what need not be cut."""
    said = pauses.said
    if first == len(said):
        return None
    short = said[-1].end_ms - begun_ms <= LONGEST_MS and len(said) - first <= MOST_WORDS
    if short:
        return None
    best: tuple[int, int] | None = None
    best_score = (False, -1)
    for index in range(first + 1, min(len(said), first + MOST_WORDS + 1)):
        if said[index].start_ms > begun_ms + LONGEST_MS and best is not None:
            break
        pause = pauses.before(index)
        if pause is None:
            continue
        from_ms, until_ms, agreed = pause
        score = (agreed, until_ms - from_ms)
        if score > best_score and from_ms - begun_ms >= SHORTEST_MS:
            best, best_score = (index, (from_ms + until_ms + 1) // 2), score
    return best


class _Pauses:
    """The pauses of both sides; each is looked at for several cuts, and found once."""

    def __init__(self, said: Sequence[PassWord], old: Sequence[PassWord]) -> None:
        self.said = said
        self._old = old
        self._middles = [word.start_ms + word.end_ms for word in old]  # twice
        self._found: dict[int, tuple[int, int, bool] | None] = {}

    def before(self, index: int) -> tuple[int, int, bool] | None:
        """Return the pause before a word, and whether both sides agree on what is around it."""
        if index not in self._found:
            self._found[index] = self._find(index)
        return self._found[index]

    def _find(self, index: int) -> tuple[int, int, bool] | None:
        said, old = self.said, self._old
        from_ms, until_ms = said[index - 1].end_ms, said[index].start_ms
        if until_ms < from_ms:
            return None
        place = bisect_left(self._middles, from_ms + until_ms)
        before = old[place - 1] if place else None
        following = old[place] if place < len(old) else None
        agreed = True
        if before is not None:
            from_ms = max(from_ms, before.end_ms)
            agreed = agreement_key(before.text) == agreement_key(said[index - 1].text)
        if following is not None:
            until_ms = min(until_ms, following.start_ms)
            agreed = agreed and agreement_key(following.text) == agreement_key(said[index].text)
        return None if until_ms < from_ms else (from_ms, until_ms, agreed)
