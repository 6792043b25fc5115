"""What stands in the registers of a document, where editors may have written anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

from offline.domain import Speaker, SpeakerId, TurnId
from offline.suggestions import Choice, Suggestion, parse_choice

Values = Mapping[str, object]
"""Of one register."""

LONGEST_NAME = 200
"""People's names for speakers are cut to so many characters wherever we show them."""

DROPPED = ""
"""Speaker of a turn whose beginning a machine took away."""


def assignments(values: Values) -> dict[TurnId, SpeakerId]:
    """Return who speaks in each turn."""
    return {
        TurnId(turn): SpeakerId(speaker)
        for turn, speaker in values.items()
        if isinstance(speaker, str) and speaker != DROPPED
    }


def dropped(values: Values) -> frozenset[TurnId]:
    """Return the turns whose beginnings a machine took away."""
    return frozenset(TurnId(turn) for turn, speaker in values.items() if speaker == DROPPED)


def suggestions(values: Values) -> dict[str, Suggestion]:
    """Return the suggestions, by their ids."""
    parsed = (Suggestion.parse(key, value) for key, value in values.items())
    return {each.id: each for each in parsed if each is not None}


def choices(values: Values) -> dict[str, Choice]:
    """Return what people decided about suggestions."""
    parsed = {key: parse_choice(value) for key, value in values.items()}
    return {key: choice for key, choice in parsed.items() if choice is not None}


def merged(values: Values) -> dict[SpeakerId, SpeakerId]:
    """Return who those speakers are in the end of whom people say that they are another one.

    Two people may say at once that each of two is the other. Of such a circle the smallest id is
    who all of them are, so that everybody sees the same.
    """
    same = {speaker: fields.get("same") for speaker, fields in values.items() if _is_map(fields)}
    ends: dict[str, str] = {}
    for speaker in same:
        way: dict[str, None] = {}
        at = speaker
        while at not in ends and at not in way:
            way[at] = None
            following = same.get(at)
            at = following if isinstance(following, str) and following else at
        met = list(way)
        end = ends[at] if at in ends else min(met[met.index(at) :], key=_code_units)
        ends.update(dict.fromkeys(met, end))
    return {SpeakerId(speaker): SpeakerId(end) for speaker, end in ends.items() if end != speaker}


def speakers(values: Values) -> dict[SpeakerId, Speaker]:
    """Return the speakers with their names, which may be empty."""
    found: dict[SpeakerId, Speaker] = {}
    for speaker, fields in values.items():
        if _is_map(fields):
            name, colour = fields.get("name"), fields.get("colour")
            found[SpeakerId(speaker)] = Speaker(
                SpeakerId(speaker),
                name[:LONGEST_NAME] if isinstance(name, str) else "",
                colour if isinstance(colour, str) else None,
            )
    return found


def _is_map(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _code_units(name: str) -> bytes:
    """Return what ids are sorted by in JavaScript."""
    return name.encode("utf-16-be", "surrogatepass")
