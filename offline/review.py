"""Suggestions: what people see of hunks that could not be applied, because they had edited there.

They follow from the decisions, what machines believe, and the text as it stands: made when there is
something to say, changed with the text, and withdrawn when their reason is gone, because people
decided, or took the words away, or write by now what the pass heard, or a later pass heard
otherwise. So whoever reviews twice finds nothing more to do.

To be done after the text was corrected and turns were arranged: suggestions quote what stands
around their place, by which editors find it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offline.belief import Belief
from offline.decisions import BEFORE_ALL, Hunk, refs
from offline.domain import PassWord, WordRef
from offline.edits import Edit, Suggest, Withdraw
from offline.suggestions import CONTEXT, LONGEST_TEXT, MOST, Suggestion, SuggestionKind
from offline.view import Standing, View


def review(view: View, belief: Belief, start_ms: int, end_ms: int) -> list[Edit]:
    """Return the edits after which people see the suggestions about a span.

    Args:
        view: The document.
        belief: What machines believe of a session, all decisions included.
        start_ms: Where the span begins, on the transcript's clock.
        end_ms: Where it ends.
    """
    suggested = view.history.suggested
    edits: list[Edit] = [Withdraw(name) for name in view.suggestions if name not in suggested]
    shown = len(view.suggestions) - len(edits)
    for name, hunk in suggested.items():
        if hunk.new.pass_id not in belief.passes or not _within(view, hunk, start_ms, end_ms):
            continue
        now = view.suggestions.get(name)
        due = None if name in view.choices else _suggestion(view, belief, hunk)
        if due is None and now is not None:
            edits.append(Withdraw(name))
            shown -= 1
        elif due is not None and due != now and (now is not None or shown < MOST):
            edits.append(Suggest(due))
            shown += now is None
    return edits


def _said(view: View, hunk: Hunk) -> Sequence[PassWord]:
    return view.said(hunk.new) or [view.heard(word) for word in hunk.old]


def _within(view: View, hunk: Hunk, start_ms: int, end_ms: int) -> bool:
    said = _said(view, hunk)
    return bool(said) and said[0].start_ms <= end_ms and said[-1].end_ms >= start_ms


@dataclass(frozen=True, slots=True)
class _Around:
    """Which words are said before and after a hunk; `None` where there are none."""

    before: WordRef | None
    following: WordRef | None


def _suggestion(view: View, belief: Belief, hunk: Hunk) -> Suggestion | None:
    """Return what there is to suggest now, if anything."""
    around = _around(view, belief, hunk)
    if around is None:
        return None
    found = view.found({*hunk.old, *(each for each in _both(around) if each is not None)})
    region = _region(view, belief, found, hunk, around)
    if region is None:
        return None
    text, alternative = view.text[slice(*region)], "".join(w.text for w in view.said(hunk.new))
    if view.page.begins_turn(region[0]):
        alternative = alternative.lstrip()
    if max(len(text), len(alternative)) > LONGEST_TEXT or not _differ(hunk, text, alternative):
        return None
    if not hunk.old and text.strip():
        # What stands there is a person's own, and in the place of no word of the machines.
        region, text = (region[1], region[1]), ""
    said = _said(view, hunk)
    return Suggestion(
        id=str(hunk),
        kind=_kind(text, alternative),
        words=hunk.old or tuple(word for word in _both(around) if word is not None),
        text=text,
        alternative=alternative,
        before=view.text[max(region[0] - CONTEXT, 0) : region[0]].rpartition("\n")[2],
        after=view.text[region[1] : region[1] + CONTEXT].partition("\n")[0],
        pass_id=hunk.new.pass_id,
        start_ms=said[0].start_ms,
        end_ms=max(said[-1].end_ms, said[0].start_ms),
    )


def _around(view: View, belief: Belief, hunk: Hunk) -> _Around | None:
    """Return the neighbours of a hunk's words; `None` where these are not believed any more.

    What is proposed is not believed: where the old words still are, it would stand there.
    """
    new = refs(hunk.new)
    if str(hunk) in view.history.proposed:
        if not belief.has_in_a_row(hunk.place):
            return None
        following = belief.following(hunk.place[-1])
        if hunk.after is None:
            return _Around(belief.before(hunk.old[0]), following)
        return _Around(None if hunk.after.word == BEFORE_ALL else hunk.after, following)
    if not new:
        return _Around(None, None)
    if not belief.has_in_a_row(new):
        return None
    return _Around(belief.before(new[0]), belief.following(new[-1]))


def _both(around: _Around) -> tuple[WordRef | None, WordRef | None]:
    return around.before, around.following


def _region(
    view: View, belief: Belief, found: Mapping[WordRef, Standing], hunk: Hunk, around: _Around
) -> tuple[int, int] | None:
    """Return what stands where a hunk's words were said: between its neighbours, if these stand.

    Else it is what is left of the words that it replaces, or one end of all that was said.
    """
    before = None if around.before is None else found.get(around.before)
    following = None if around.following is None else found.get(around.following)
    if before is not None and following is not None:
        between = _trim(view, before.end, following.start)
        if _is_one_place(view, belief, *between):
            return between
    if not hunk.old and around.before is None and following is not None:
        return following.start, following.start
    if not hunk.old and around.following is None and before is not None:
        return before.end, before.end
    left = [found[word] for word in hunk.old if word in found]
    if left:
        start, end = min(word.start for word in left), max(word.end for word in left)
        if _is_one_place(view, belief, start, end):
            return start, end
    return None


def _trim(view: View, start: int, end: int) -> tuple[int, int]:
    """Return a region without the beginnings of turns at its edges."""
    while start < end and view.text[start] == "\n":
        start += 1
    while start < end and view.text[end - 1] == "\n":
        end -= 1
    return start, end


def _is_one_place(view: View, belief: Belief, start: int, end: int) -> bool:
    """Return whether a region lies in one turn, and holds nothing of other microphones."""
    if not start <= end <= start + LONGEST_TEXT:
        return False
    inside = view.page.runs_in(start, end)
    passes = {run.segment.pass_id for run in inside if run.segment is not None}
    return not any(run.turn for run in inside) and passes <= belief.passes


def _differ(hunk: Hunk, text: str, alternative: str) -> bool:
    """Return whether people see anything else in what a pass heard than what stands there."""
    ours, theirs = _letters(text), _letters(alternative)
    if hunk.old and not text.strip():
        return False  # People took the words away.
    if not alternative.strip():
        return bool(text.strip())
    return ours != theirs and not (theirs and not hunk.old and theirs in ours)


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum()) or "".join(text.split())


def _kind(text: str, alternative: str) -> SuggestionKind:
    if not alternative.strip():
        return SuggestionKind.DELETE
    return SuggestionKind.REPLACE if text.strip() else SuggestionKind.INSERT
