"""What the server would correct where people had edited: for them to accept or to dismiss.

They stand in the document, in the map `sug`; what people decide goes into `sugd`. See
`clients/PROTOCOL.md`, section 10.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from trax_client.document import Run, Suggestion, SuggestionKind


def as_suggestions(
    made: Mapping[str, object], decided: Mapping[str, object]
) -> tuple[Suggestion, ...]:
    """Return what people have not decided about, in the order of time."""
    undecided = (_parse(key, value) for key, value in made.items() if key not in decided)
    found = [suggestion for suggestion in undecided if suggestion is not None]
    return tuple(sorted(found, key=lambda each: (each.start_ms, each.id)))


def find(runs: Sequence[Run], suggestion: Suggestion) -> tuple[int, int] | None:
    """Return where a suggestion's text stands; `None` if that cannot be told, or it is gone."""
    text = "".join(run.text for run in runs)
    quoted = suggestion.before + suggestion.text + suggestion.after
    if not quoted:
        return None
    starts = [
        found.start() + len(suggestion.before)
        for found in re.finditer(f"(?={re.escape(quoted)})", text)
    ]
    places = [
        (start, start + len(suggestion.text))
        for start in starts
        if _is_whole(text, start, suggestion)
    ]
    told = any(c.isalnum() for c in suggestion.before + suggestion.after)
    if len(places) > 1 or not told:
        places = [place for place in places if _is_about(runs, place, suggestion.words)]
    return places[0] if len(places) == 1 else None


def _is_whole(text: str, start: int, suggestion: Suggestion) -> bool:
    """Return whether what is quoted is no part of longer words, nor of a longer turn.

    What stands around a suggestion is quoted as far as its turn goes, or else cut anywhere.
    """
    first = start - len(suggestion.before)
    last = start + len(suggestion.text) + len(suggestion.after)
    left, right = text[first - 1 : first] if first else "", text[last : last + 1]
    return _ends(suggestion.before, left, text[first]) and _ends(
        suggestion.after, right, text[last - 1]
    )


def _ends(context: str, beyond: str, edge: str) -> bool:
    if not context:
        return beyond in {"", "\n"}
    cut = len(context) >= _CONTEXT
    return cut or not (beyond.isalnum() and edge.isalnum())


_CONTEXT = 20
"""Characters that are quoted on either side, if the turn has so many."""


def _is_about(runs: Iterable[Run], place: tuple[int, int], words: Sequence[str]) -> bool:
    """Return whether one of some words was written where the place is, or next to it."""
    start, end = place
    near = [run for run in runs if run.start <= end and run.end >= start and run.segment]
    return any(_holds(run.segment or "", word) for run in near for word in words)


def _holds(segment: str, word: str) -> bool:
    found, sought = _SEGMENT.fullmatch(segment), _WORD.fullmatch(word)
    if found is None or sought is None or found[1] != sought[1]:
        return False
    return int(found[2]) <= int(sought[2]) < int(found[3])


_SEGMENT = re.compile(r"([0-9A-Za-z-]{1,64}):([0-9]{1,9}):([0-9]{1,9})", re.ASCII)
_WORD = re.compile(r"([0-9A-Za-z-]{1,64})\.([0-9]{1,9})", re.ASCII)


def _parse(key: str, value: object) -> Suggestion | None:
    match value:
        case {
            "kind": "replace" | "insert" | "delete" as kind,
            "text": str(text),
            "alternative": str(alternative),
            "before": str(before),
            "after": str(after),
            "words": list(words),
            "start_ms": int() | float() as start_ms,
            "end_ms": int() | float() as end_ms,
        } if 0 <= start_ms <= end_ms < 1e12:
            return Suggestion(
                key,
                SuggestionKind(kind),
                text,
                alternative,
                before,
                after,
                tuple(word for word in words if isinstance(word, str)),
                int(start_ms),
                int(end_ms),
            )
    return None
