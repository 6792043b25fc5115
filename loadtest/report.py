"""Results as JSON for programs, and as tables for people."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from loadtest.distribution import Distribution
from loadtest.latency import LatencyReport
from loadtest.machine import machine
from loadtest.scoring import WordErrors
from loadtest.soak import SoakReport

NOTHING = "-"
"""What stands in a table where nothing was measured."""

NOT_OURS = "not known"
"""What stands there for a server that somebody else runs."""


def plain(value: object) -> object:
    """Return a result as JSON has it: of a value its fields and its public properties."""
    match value:
        case Enum():
            return plain(value.value)
        case bool() | int() | str() | None:
            return value
        case float():
            return round(value, 6) if math.isfinite(value) else None
        case Path():
            return value.name
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case Sequence():
            return [plain(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            names = [field.name for field in dataclasses.fields(value)]
            names += [
                name
                for name, item in vars(type(value)).items()
                if isinstance(item, property) and not name.startswith("_")
            ]
            return {name: plain(getattr(value, name)) for name in names}
        case _:
            raise TypeError(f"a result of values expected, got {type(value).__name__}")


def write_json(path: Path, result: object) -> None:
    """Write a result that has names, and on what machine it came about.

    The folder need not be there yet.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    named = plain(result)
    assert isinstance(named, dict), "a result has names"
    text = json.dumps({"machine": plain(machine()), **named}, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def latency_table(report: LatencyReport) -> Table:
    """Return what the clients saw, and what the server used."""
    count, granted = len(report.streams), report.granted
    clients = f"{count} client" if count == 1 else f"{count} clients"
    speakers = "speakers told apart" if granted.diarization else "no speakers"
    assert granted.lookahead_ms is not None, "of a server of ours"
    table = Table(
        title=f"{report.recording}, {report.audio_s:.0f} s: {clients} of {granted.recognizer}, "
        f"look-ahead {granted.lookahead_ms} ms, {speakers}",
        caption=None if report.truth else "No truth: words end where the recognizer says.",
        box=SIMPLE_HEAD,
    )
    table.add_column("seconds after the end of a word", no_wrap=True)
    for heading in ("median", "90 %", "max"):
        table.add_column(heading, justify="right")
    table.add_row("first shown", *spread(report.shown_s))
    table.add_row("final", *spread(report.final_s), end_section=True)
    for heading, cell in _latency_rows(report):
        table.add_row(heading, cell)
    return table


def _latency_rows(report: LatencyReport) -> list[tuple[str, str]]:
    live, corrected, server = report.live, report.corrected, report.server
    lags = [stream.lag_at_end_s for stream in report.streams if stream.lag_at_end_s is not None]
    each = max(1, report.words)
    return [
        ("words final", str(report.words)),
        ("taken back, of words final %", percent(report.retracted / each)),
        ("corrections", str(report.corrections)),
        ("live finals, errors %", NOTHING if live is None else percent(live.rate)),
        ("after corrections, errors %", NOTHING if corrected is None else percent(corrected.rate)),
        ("behind as the audio ends, s", seconds(max(lags)) if lags else NOTHING),
        ("done after the audio, s", seconds(max(s.done_after_s for s in report.streams))),
        ("sent too late by at most, s", seconds(max(s.sent_late_s for s in report.streams))),
        ("real time kept", "yes" if report.real_time else "NO"),
        ("CPU s per audio s", f"{server.cpu_per_audio_s:.3f}" if server else NOT_OURS),
        ("peak RSS, MB", megabytes(server.peak_rss_bytes) if server else NOT_OURS),
    ]


def soak_table(report: SoakReport) -> Table:
    """Return how memory went, and whether the words are all there."""
    table = Table(
        title=f"{report.audio_s / 60:.0f} minutes of audio in {report.wall_s / 60:.1f} minutes",
        show_header=False,
        box=SIMPLE_HEAD,
    )
    table.add_column("", no_wrap=True)
    table.add_column("", justify="right")
    for sample in report.memory:
        heading = f"RSS after {sample.heard_s / 60:.1f} min, MB"
        table.add_row(heading, megabytes(sample.rss_bytes))
    slope = report.slope_bytes_per_hour
    rows = (
        ("growth per hour of audio, MB", NOTHING if slope is None else megabytes(slope)),
        ("CPU s per audio s", f"{report.cpu_per_audio_s:.3f}"),
        ("words said / final", f"{report.errors.words} / {report.finals}"),
        ("errors %", errors_cell(report.errors)),
        ("finals out of order", str(report.disordered_finals)),
        ("last words said", " ".join(report.last_said)),
        ("last words heard", " ".join(report.last_heard)),
    )
    for heading, cell in rows:
        table.add_row(heading, cell)
    return table


def megabytes(size_bytes: float) -> str:
    """Return a size as a cell of a table."""
    return f"{size_bytes / 1e6:.1f}"


def spread(values: Distribution | None) -> tuple[str, str, str]:
    """Return median, p90 and maximum as cells of a table, in seconds."""
    if values is None:
        return NOTHING, NOTHING, NOTHING
    return seconds(values.median), seconds(values.p90), seconds(values.maximum)


def percent(part: float, digits: int = 1) -> str:
    """Return a part of one as a cell of a table."""
    return f"{100 * part:.{digits}f}"


def seconds(value: float) -> str:
    """Return seconds as a cell of a table."""
    return f"{value:.2f}"


def errors_cell(errors: WordErrors) -> str:
    """Return word errors as a cell of a table: the rate, then what they are."""
    counts = f"{errors.substitutions}+{errors.deletions}+{errors.insertions}"
    return f"{percent(errors.rate)}  {counts:>8}"
