"""What stands in the registers of a document, where editors may have written anything."""

from __future__ import annotations

from collections.abc import Mapping

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


def speakers(values: Values) -> dict[SpeakerId, Speaker]:
    """Return the speakers with their names, which may be empty."""
    found: dict[SpeakerId, Speaker] = {}
    for speaker, fields in values.items():
        if isinstance(fields, dict):
            name, colour = fields.get("name"), fields.get("colour")
            found[SpeakerId(speaker)] = Speaker(
                SpeakerId(speaker),
                name[:LONGEST_NAME] if isinstance(name, str) else "",
                colour if isinstance(colour, str) else None,
            )
    return found
