"""`trax passes`: which passes hear a session, and how, for people and for programs."""

from __future__ import annotations

import json
import sys

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from offline.passes import LIVE, Moment, Stage
from server.passes import passes_of
from server.settings import Settings
from streaming.engines.recognizers import AUTO, SCRIPTED, best
from streaming.errors import EngineError, WeightsError
from streaming.weights import locate

_WHEN = {
    Moment.UTTERANCE: "at the end of each utterance",
    Moment.STRETCH: "each 30 s or so, while the session goes on",
    Moment.RECORDING: "when the session is over, and of files",
}


def show(settings: Settings, *, as_json: bool) -> int:
    """Show every stage in its order.

    Raises:
        SettingsError: The file that describes them cannot be read or understood.
    """
    stages = passes_of(settings).stages
    if as_json:
        json.dump([_row(stage, settings) for stage in stages], sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    table = Table("stage", "when", "model", "hears", "search", "before", box=SIMPLE_HEAD)
    for stage in stages:
        model = _model(stage, settings)
        table.add_row(
            stage.name,
            _WHEN[stage.when],
            stage.model if model == stage.model else f"{stage.model}: {model or 'not here'}",
            "what is uncertain" if stage.uncertain_only else "everything",
            _search(stage),
            "the text before" if stage.context else "nothing",
        )
    Console().print(table)
    return 0


def _model(stage: Stage, settings: Settings) -> str | None:
    """Return the name of the recognizer that a stage has here now, if it has one.

    A name that only a model hub knows is taken for one: it is fetched when it is needed.
    """
    name = settings.live_model if stage.model == LIVE else stage.model
    try:
        if name == AUTO:
            return best(settings.live_model, None, settings.cache_dir)
        if not name.startswith(SCRIPTED):
            locate(name, settings.cache_dir)
    except (EngineError, WeightsError):
        return None
    return name


def _search(stage: Stage) -> str:
    if stage.when is Moment.UTTERANCE:
        return "the live engine's"
    search = stage.search
    ways = ", ".join(way.value for way in search.ways)
    return f"{search.beams} beams, {ways}"


def _row(stage: Stage, settings: Settings) -> dict[str, object]:
    row: dict[str, object] = {
        "name": stage.name,
        "when": stage.when.value,
        "model": stage.model,
        "model_here": _model(stage, settings),
    }
    if stage.when is Moment.UTTERANCE:  # the live engine hears in its own way
        return row
    search = stage.search
    return row | {
        "uncertain_only": stage.uncertain_only,
        "context": stage.context,
        "beams": search.beams,
        "ways": [way.value for way in search.ways],
        "temperatures": search.temperatures,
        "no_speech": search.no_speech,
        "log_probability": search.log_probability,
        "compression": search.compression,
    }
