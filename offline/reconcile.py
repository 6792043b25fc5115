"""A pass's words put in place of those that machines believed, where nobody touched them.

A hunk (`offline.decisions`) is applied only where each word that it replaces still stands as it was
written, one right behind the other, every character by a machine; and where it inserts words, only
if nobody wrote between their neighbours or took one of them away. What a person wrote, changed or
moved stays, and gets a suggestion (`offline.review`). Words where nothing was believed yet are
placed like those of a live pass.

What another microphone's words stand for is not written a second time (`offline.doubles`): such
words are left out, and that they do not stand is nobody's edit.

What is decided is never decided again: whoever repeats a plan, because it died in the middle or
does not know that another did it, finds nothing more to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from offline.belief import Belief
from offline.comparison import Comparison, Difference, Portion, compare
from offline.decisions import Decision, Outcome, refs
from offline.domain import Segment, SpeakerId, WordRef
from offline.doubles import Echoes, insert_beside, kept_out, listen
from offline.edits import Delete, Edit, InsertText, Plan
from offline.placement import NEW_TURN_AFTER_MS, Group, place_all
from offline.view import Standing, View

__all__ = ["Comparison", "Portion", "correct"]

FAR_CHARACTERS = 2_000
"""Neighbours further apart than this are not looked between."""

Found = Mapping[WordRef, Standing]


def correct(
    view: View,
    belief: Belief,
    portion: Portion,
    said_by: Mapping[WordRef, SpeakerId] | None = None,
    *,
    suggests: bool = False,
) -> Plan:
    """Return the plan that makes the text say what a pass heard.

    Args:
        view: Its passes hold all words.
        belief: What machines believe of the session, all decisions included.
        portion: What was heard.
        said_by: Who said the new words, for those that stand by themselves. Turns are otherwise
            made to agree by `offline.arrangement`, which is to follow.
        suggests: Whether the text stays as it is, and people decide about all of it.
    """
    comparison = compare(view, belief, portion)
    sought = {ref for each in comparison.differences for ref in _about(each)}
    found = view.found(sought)
    news = any(refs(each.hunk.new) for each in comparison.differences)
    echoes = listen(view, portion.new, said_by) if news else Echoes(view)
    edits: list[Edit] = []
    decisions: list[Decision] = []
    for difference in comparison.differences:
        hunk = difference.hunk
        if suggests and str(hunk) in view.history.proposed:
            continue
        made = None if suggests else _apply(view, found, echoes, difference, said_by or {})
        edits += made or ()
        absent = () if made is None else tuple(echoes.covered(hunk.new))
        if made is not None:
            outcome = Outcome.APPLIED
        elif _is_echo(view, found, difference) or _is_heard(echoes, difference):
            outcome, absent = Outcome.KEPT, _whole(hunk.new)
        elif suggests:
            outcome = Outcome.PROPOSED
        else:
            outcome = Outcome.KEPT if difference.spelling else Outcome.SUGGESTED
        decisions.append(Decision(hunk.new.pass_id, str(hunk), outcome))
        decisions += map(kept_out, absent)
    # What is proposed tells nothing of words that stay, not even when they were said.
    aliases = () if suggests else tuple(comparison.aliases)
    return Plan(tuple(edits), tuple(decisions), aliases)


def _is_echo(view: View, found: Found, difference: Difference) -> bool:
    """Return whether old words are not all there only because another microphone's are."""
    absent = [ref for ref in difference.hunk.old if ref not in found or not found[ref].exact]
    return bool(absent) and all(ref in view.history.echoes for ref in absent)


def _is_heard(echoes: Echoes, difference: Difference) -> bool:
    """Return whether all words that are inserted are heard by others too."""
    return not difference.hunk.old and not echoes.unheard(difference.hunk.new)


def _whole(words: Segment) -> tuple[Segment, ...]:
    return (words,) if words.first < words.end else ()


def _about(difference: Difference) -> Iterator[WordRef]:
    yield from difference.hunk.old
    yield from (ref for ref in (difference.before, difference.following) if ref is not None)


def _apply(
    view: View,
    found: Found,
    echoes: Echoes,
    difference: Difference,
    said_by: Mapping[WordRef, SpeakerId],
) -> list[Edit] | None:
    """Return the edits that apply a hunk; `None` where people are in the way."""
    news = echoes.unheard(difference.hunk.new)
    if difference.hunk.old:
        return _replace(view, found, difference, news)
    if _stands_alone(view, difference):
        return place_all(view, [group for new in news for group in _groups(view, new, said_by)])
    if _is_beside_echo(view, found, difference):
        return [edit for new in news for edit in _beside_echo(echoes, new, said_by)]
    return _insert(view, found, difference, news)


def _is_beside_echo(view: View, found: Found, difference: Difference) -> bool:
    """Return whether a neighbour does not stand because another microphone's word does."""
    beside = (difference.before, difference.following)
    absent = [ref for ref in beside if ref is not None and ref not in found]
    return bool(absent) and all(ref in view.history.echoes for ref in absent)


def _beside_echo(
    echoes: Echoes, new: Segment, said_by: Mapping[WordRef, SpeakerId]
) -> Sequence[Edit]:
    beside = insert_beside(echoes, new)
    return (
        place_all(echoes.view, _groups(echoes.view, new, said_by)) if beside is None else [beside]
    )


def _replace(
    view: View, found: Found, difference: Difference, news: Sequence[Segment]
) -> list[Edit] | None:
    words = [found[ref] for ref in difference.hunk.old if ref in found and found[ref].exact]
    if len(words) < len(difference.hunk.old):
        return None
    start, end = words[0].start, words[-1].end
    apart = [(one.end, other.start) for one, other in pairwise(words) if one.end != other.start]
    if not all(view.only_turns(*gap) for gap in apart) or not view.by_machine(start, end):
        return None
    edits: list[Edit] = [Delete(word.start, word.end) for word in words]
    spaced = view.text[start].isspace() or not view.page.begins_turn(start)
    colour = view.page.highlight(start, end)
    return [*_written(view, start, news, colour, spaced=spaced), *edits]


def _written(
    view: View, at: int, news: Sequence[Segment], colour: str | None = None, *, spaced: bool = True
) -> list[Edit]:
    """Return the edits that write words at a place, at a turn's beginning without space."""
    edits: list[Edit] = []
    for new in news:
        text = _text(view, new)
        if text:
            edits.append(InsertText(at, text if spaced else text.lstrip(), new, colour))
            spaced = True
    return edits


def _insert(
    view: View, found: Found, difference: Difference, news: Sequence[Segment]
) -> list[Edit] | None:
    before = None if difference.before is None else found.get(difference.before)
    following = None if difference.following is None else found.get(difference.following)
    if (before is None) != (difference.before is None):
        return None
    if (following is None) != (difference.following is None):
        return None
    if before is not None and following is not None and not _adjacent(view, before, following):
        return None
    if before is not None and (following is None or _is_nearer(view, difference)):
        colour = (
            None if following is None else view.page.highlight(before.end - 1, following.start + 1)
        )
        return _written(view, before.end, news, colour)
    if following is None:
        return None
    return _insert_before(view, following, news)


def _insert_before(view: View, following: Standing, news: Sequence[Segment]) -> list[Edit]:
    at = following.start
    if not news or not view.page.begins_turn(at):
        return _written(view, at, news)
    edits = _written(view, at, news, spaced=False)
    if not view.text[at].isspace() and view.heard(following.ref).text[:1].isspace():
        edits.append(InsertText(at, " ", following.segment))
    return edits


def _adjacent(view: View, before: Standing, following: Standing) -> bool:
    """Return whether nothing of people's lies between two words that were said in a row.

    Words of other microphones may.
    """
    start, end = before.end, following.start
    if not start <= end <= start + FAR_CHARACTERS:
        return False
    return start == end or view.only_turns(start, end) or view.by_machine(start, end)


def _is_nearer(view: View, difference: Difference) -> bool:
    """Return whether new words follow the word before them sooner than the next follows them."""
    if difference.first and not difference.empty:
        return False
    assert difference.before is not None
    assert difference.following is not None
    said = view.said(difference.hunk.new)
    before, following = view.heard(difference.before), view.heard(difference.following)
    pause_ms = max(following.start_ms - said[-1].end_ms, 0)
    return said[0].start_ms - before.end_ms <= pause_ms


def _stands_alone(view: View, difference: Difference) -> bool:
    """Return whether words come after all that was believed, and are nothing that goes on there."""
    if difference.following is not None:
        return False
    if difference.before is None or difference.empty:
        return True
    pause_ms = view.said(difference.hunk.new)[0].start_ms - view.heard(difference.before).end_ms
    return pause_ms >= NEW_TURN_AFTER_MS


def _groups(view: View, new: Segment, said_by: Mapping[WordRef, SpeakerId]) -> Iterable[Group]:
    """Return words in groups of one speaker without long pauses."""
    said = view.said(new)
    speakers = [said_by.get(ref) for ref in refs(new)]
    first = 0
    for n in range(1, len(said) + 1):
        if (
            n == len(said)
            or speakers[n] != speakers[first]
            or said[n].start_ms - said[n - 1].end_ms >= NEW_TURN_AFTER_MS
        ):
            yield Group(Segment(new.pass_id, new.first + first, new.first + n), speakers[first])
            first = n


def _text(view: View, segment: Segment) -> str:
    return "".join(word.text for word in view.said(segment))
