"""Settings of a session for a measurement: what a client may ask for, and the rules behind it.

The rules (`LiveRules`, `EndpointRules`) are fixed in a server, but found by measurement; so a
measurement can set each of them by the name of its field.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar, get_type_hints

from loadtest.errors import LoadtestError
from server.messages import Start
from server.settings import Settings
from server.terms import agree, session_settings
from streaming.core.domain import Samples, from_ms
from streaming.core.endpointing import EndpointRules
from streaming.core.settings import LiveRules, SessionSettings

Rules = TypeVar("Rules", LiveRules, EndpointRules)


def settings_for(
    start: Start, server: Settings, languages: frozenset[str], rules: Iterable[str] = ()
) -> SessionSettings:
    """Return the settings of a session as a server makes them.

    Args:
        start: What a client asks for.
        server: The server's settings.
        languages: What its recognizer knows.
        rules: As `step=400`: a field of `LiveRules` or `EndpointRules` and its value, lengths in
            milliseconds.

    Raises:
        LoadtestError: There is no such rule, or its value cannot be read.
        PeerMistake: A server does not grant what is asked for.
    """
    session = session_settings(agree(start, server, languages), None, server)
    for rule in rules:
        name, _, value = rule.partition("=")
        if name in rule_names(LiveRules):
            session = replace(session, live=_with(session.live, name, value))
        elif name in rule_names(EndpointRules):
            session = replace(session, endpoints=_with(session.endpoints, name, value))
        else:
            known = ", ".join((*rule_names(LiveRules), *rule_names(EndpointRules)))
            raise LoadtestError(f"a rule of {known} expected, got {name!r}")
    return session


def rule_names(kind: type[LiveRules] | type[EndpointRules]) -> tuple[str, ...]:
    """Return the names of the rules of a kind."""
    return tuple(get_type_hints(kind))


def _with(rules: Rules, name: str, value: str) -> Rules:
    kind = get_type_hints(type(rules))[name]
    try:
        parsed = from_ms(int(value)) if kind is Samples else kind(value)
    except ValueError as error:
        raise LoadtestError(f"{name}: a number expected, got {value!r}") from error
    # The field's own type has read it.
    return replace(rules, **{name: parsed})
