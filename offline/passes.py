"""Which passes hear a session, one after another, and how: a small typed configuration.

A pass is a `Stage`. The first is the live engine's own, at the end of each utterance. The others
are heard by workers: those of `Moment.STRETCH` while a session goes on, those of
`Moment.RECORDING` once it is over, and for whatever else is heard as a whole (an upload, a passage
that somebody asked for). Sessions may do without either; uploads and passages need the latter.
Of one moment they follow each other in the order of the list, and each is told the words of those
before it.

`DEFAULT` is what Trax does by itself. A TOML file may replace it as a whole::

    [[stage]]
    name = "utterance"          # done by the live engine: nothing else can be said of it
    when = "utterance"

    [[stage]]
    name = "stretch"
    when = "stretch"
    model = "auto"              # the best that is here, or a name as for --live-model
    uncertain_only = true       # hear again only where earlier passes are not sure
    beams = 5                   # this and all below: see `streaming.core.ports.Search`

    [[stage]]
    name = "recording"
    when = "recording"
    context = false             # whether the text before is told to the recognizer
    ways = ["plain", "timed"]   # the first alone where enough was heard before
    temperatures = [0.0, 0.4, 0.8]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, get_type_hints

from offline.errors import NoStage, PassesError
from offline.jobs import JobKind
from streaming.core.ports import Search, Way
from streaming.engines.recognizers import AUTO

LIVE = "live"
"""Instead of a model: the one that the live engine has. Only its own stage has it."""

MOST_STAGES = 16
MOST_BEAMS = 20
MOST_TEMPERATURES = 8

BOUNDS: Mapping[str, tuple[float, float]] = {
    "temperatures": (0.0, 1.0),
    "no_speech": (0.0, 1.0),
    "log_probability": (-100.0, 0.0),
    "compression": (1.0, 100.0),
}
"""What numbers of a `Search` may be: probabilities, temperatures up to Whisper's highest, and
thresholds up to where they never apply."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


class Moment(Enum):
    """When a stage hears."""

    UTTERANCE = "utterance"
    """At the end of each utterance, in the live engine."""
    STRETCH = "stretch"
    """When about 30 s of utterances are closed, while the session goes on."""
    RECORDING = "recording"
    """When all that is to be heard is there."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass.

    Attributes:
        name: Of the stage, unique among the passes.
        when: It hears.
        model: Which recognizer.
        search: How it searches. Where two passes or more heard a window before, the first of its
            ways is enough.
        context: Whether the recognizer is told the text before each window.
        uncertain_only: Whether only those windows are heard again of which earlier passes are not
            sure; elsewhere their words stand.
    """

    name: str
    when: Moment
    model: str = AUTO
    search: Search = field(default_factory=Search)
    context: bool = False
    uncertain_only: bool = False


@dataclass(frozen=True, slots=True)
class Passes:
    """All passes, in the order in which they hear.

    Raises:
        PassesError: They are not in the order of their moments, or share a name.
    """

    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        """Check what the stages say together."""
        moments = [list(Moment).index(stage.when) for stage in self.stages]
        if len(self.stages) > MOST_STAGES:
            raise PassesError(f"at most {MOST_STAGES} stages expected, got {len(self.stages)}")
        if moments != sorted(moments) or moments.count(0) != 1:
            raise PassesError(
                "one stage of the moment utterance expected, then those of stretch, then those of "
                f"recording; got {', '.join(stage.when.value for stage in self.stages) or 'none'}"
            )
        names = [stage.name for stage in self.stages]
        for name in names:
            if names.count(name) > 1:
                raise PassesError(f"stages of different names expected, got {name!r} twice")

    def of(self, kind: JobKind) -> tuple[Stage, ...]:
        """Return the stages that hear for a job of a kind; perhaps none."""
        when = _moment(kind)
        return tuple(stage for stage in self.stages if stage.when is when)

    def hearing(self, kind: JobKind) -> tuple[Stage, ...]:
        """Return the stages that hear for a job of a kind.

        Raises:
            NoStage: There is none.
        """
        stages = self.of(kind)
        if not stages:
            raise NoStage(_moment(kind).value)
        return stages

    @classmethod
    def parse(cls, text: str) -> Passes:
        """Read a description, in TOML.

        Raises:
            PassesError: It cannot be understood; the message names the stage.
        """
        try:
            content: Mapping[str, object] = tomllib.loads(text)
        except ValueError as error:  # also of an integer of thousands of digits
            raise PassesError(f"TOML expected: {error}") from error
        rows = content.get("stage")
        if set(content) != {"stage"} or not isinstance(rows, list):
            raise PassesError(f"a list of [[stage]] expected, got {sorted(content) or 'nothing'}")
        return cls(tuple(_stage(row) for row in rows))


DEFAULT = Passes(
    (
        Stage("utterance", Moment.UTTERANCE, model=LIVE),
        Stage("stretch", Moment.STRETCH, search=Search(ways=(Way.PLAIN,))),
        Stage("recording", Moment.RECORDING, search=Search(ways=(Way.PLAIN, Way.TIMED))),
    )
)
"""Of three talks of 2-4 speakers (964 words), the live pass leaves 167 errors, its utterance pass
124 and the stretch pass 118. After these, the plain way over the whole leaves 115, as its windows
are others than those of stretches; the timed one leaves 119. Of a file that nobody heard before,
both ways are needed: they leave 118, the plain one alone 129 and the timed one 124."""


def _moment(kind: JobKind) -> Moment:
    return Moment.STRETCH if kind is JobKind.STRETCH else Moment.RECORDING


def _stage(row: object) -> Stage:
    if not isinstance(row, dict):
        raise PassesError(f"a stage expected, got {row!r}")
    options: dict[str, object] = dict(row)
    name, when = options.pop("name", None), options.pop("when", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PassesError(f"a stage's name of letters, digits and - expected, got {name!r}")
    moments = [moment.value for moment in Moment]
    if when not in moments:
        raise PassesError(f"{name}: when of {', '.join(moments)} expected, got {when!r}")
    if when == Moment.UTTERANCE.value:
        if options:
            raise PassesError(f"{name}: no more than name and when expected, got {list(options)}")
        return Stage(name, Moment.UTTERANCE, model=LIVE)
    known = _OWN | _SEARCH
    if unknown := sorted(set(options) - set(known)):
        raise PassesError(f"{name}: options of {', '.join(known)} expected, got {unknown}")
    given = {key: _value(name, key, value, known[key]) for key, value in options.items()}
    # Any: each value has just got the type of its field.
    own: dict[str, Any] = {key: given[key] for key in given if key in _OWN}
    of_search: dict[str, Any] = {key: given[key] for key in given if key in _SEARCH}
    return Stage(name, Moment(when), search=Search(**of_search), **own)


def _value(stage: str, key: str, value: object, kind: object) -> object:
    """Return an option's value in the type of its field."""
    parse, expected = _PARSERS[kind]
    parsed = parse(value)
    if parsed is None:
        raise PassesError(f"{stage}: {key}: {expected} expected, got {value!r}")
    if key in BOUNDS:
        low, high = BOUNDS[key]
        numbers = parsed if isinstance(parsed, tuple) else (parsed,)
        for number in numbers:
            if not low <= number <= high:  # as nan is not
                bounds = f"{low:g}..{high:g}"
                raise PassesError(f"{stage}: {key}: {bounds} expected, got {number!r}")
    return parsed


def _number(value: object) -> float | None:
    # In TOML 1 is an integer where a number is meant, and to Python true is one.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(str(value)) if is_number else None


def _count(value: object) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_BEAMS
    return int(str(value)) if is_count else None


def _numbers(value: object) -> tuple[float, ...] | None:
    parsed = [_number(each) for each in value] if isinstance(value, list) else []
    numbers = tuple(number for number in parsed if number is not None)
    return (
        numbers if len(numbers) == len(parsed) and 1 <= len(parsed) <= MOST_TEMPERATURES else None
    )


def _ways(value: object) -> tuple[Way, ...] | None:
    known = {way.value: way for way in Way}
    given = value if isinstance(value, list) else []
    ways = tuple(known[each] for each in given if each in known)
    return ways if ways and len(set(ways)) == len(given) else None


_PARSERS: Mapping[object, tuple[Callable[[object], object], str]] = {
    float: (_number, "a number"),
    int: (_count, f"1..{MOST_BEAMS}"),
    bool: (lambda value: value if isinstance(value, bool) else None, "true or false"),
    str: (lambda value: value if isinstance(value, str) and value.strip() else None, "a text"),
    tuple[float, ...]: (_numbers, f"a list of 1..{MOST_TEMPERATURES} numbers"),
    tuple[Way, ...]: (_ways, f"a list of {', '.join(way.value for way in Way)}"),
}
"""How an option of each type is read, and what is expected of it."""


def _types(kind: type, names: set[str]) -> dict[str, object]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind) if field.name in names}


_OWN = _types(Stage, {"model", "context", "uncertain_only"})
_SEARCH = _types(Search, {field.name for field in fields(Search)})
