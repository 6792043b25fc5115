"""Results as JSON for programs, and as tables for people."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import reduce
from operator import add
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from loadtest.accuracy import AccuracyReport, SpeakerReport, fewer_errors
from loadtest.distribution import Distribution
from loadtest.latency import LatencyReport
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
    """Write a result."""
    text = json.dumps(plain(result), ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def accuracy_table(reports: Sequence[AccuracyReport]) -> Table:
    """Return what was heard, and what it took; recordings as columns."""
    table = Table(caption="errors: substitutions + deletions + insertions", box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    for report in reports:
        table.add_column(report.name, justify="right", overflow="fold")
    rows = [list(cells) for cells in zip(*(_accuracy_cells(each) for each in reports), strict=True)]
    if len(reports) > 1:
        table.add_column("all", justify="right")
        for row, cell in zip(rows, _total_cells(reports), strict=False):
            row.append(cell)
    for heading, row in zip(_ACCURACY_ROWS, rows, strict=True):
        table.add_row(heading, *row)
    return table


_ACCURACY_ROWS = (
    "words said",
    "live finals, errors %",
    "after the utterance pass, errors %",
    "  fewer than live, %",
    "whole file, errors %",
    "final after word, median s",
    "  90 %",
    "word start wrong by, median s",
    "word end wrong by, median s",
    "speakers found / true",
    "words of wrong voice, %",
    "diarization error rate, %",
    "  without 0.25 s at edges",
    "utterances / corrected",
    "finals out of order",
    "CPU s per audio s: live",
    "  utterance pass",
    "  diarizer",
    "  vad",
    "  whole file",
)


def _accuracy_cells(report: AccuracyReport) -> tuple[str, ...]:
    whole, times, costs = report.whole_file, report.times, report.costs
    final_median, final_p90, _ = spread(report.final_latency_s)
    return (
        *_error_cells(report.live, report.corrected, None if whole is None else whole.errors),
        final_median,
        final_p90,
        *((seconds(times.start_s.median), seconds(times.end_s.median)) if times else 2 * [NOTHING]),
        *_speaker_cells(report.speakers),
        f"{report.utterances} / {report.corrections}",
        str(report.disordered_finals),
        *(f"{cost:.3f}" for cost in (costs.live, costs.utterance, costs.diarizer, costs.vad)),
        NOTHING if whole is None else f"{whole.cpu_per_audio_s:.3f}",
    )


def _total_cells(reports: Sequence[AccuracyReport]) -> tuple[str, ...]:
    """Return the first cells of the column that adds up all recordings."""
    wholes = [report.whole_file.errors for report in reports if report.whole_file is not None]
    live = reduce(add, (report.live for report in reports))
    corrected = reduce(add, (report.corrected for report in reports))
    return _error_cells(live, corrected, reduce(add, wholes) if wholes else None)


def _error_cells(
    live: WordErrors, corrected: WordErrors, whole: WordErrors | None
) -> tuple[str, ...]:
    return (
        str(live.words),
        _errors(live),
        _errors(corrected),
        percent(fewer_errors(live, corrected), digits=0),
        NOTHING if whole is None else _errors(whole),
    )


def _speaker_cells(speakers: SpeakerReport | None) -> tuple[str, ...]:
    if speakers is None:
        return (NOTHING,) * 4
    turns = speakers.turns
    return (
        f"{speakers.voices} / {speakers.people}",
        percent(speakers.words.rate),
        NOTHING if turns is None else percent(turns.rate),
        NOTHING if turns is None else percent(turns.core_rate),
    )


def latency_table(report: LatencyReport) -> Table:
    """Return what the clients saw, and what the server used."""
    count, granted = len(report.streams), report.granted
    clients = f"{count} client" if count == 1 else f"{count} clients"
    speakers = "speakers told apart" if granted.diarization else "no speakers"
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
        ("errors %", _errors(report.errors)),
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


def _errors(errors: WordErrors) -> str:
    counts = f"{errors.substitutions}+{errors.deletions}+{errors.insertions}"
    return f"{percent(errors.rate)}  {counts:>8}"
