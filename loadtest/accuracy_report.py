"""The accuracy of recordings as a table: recordings as columns, and all of them added up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import add

from rich.box import SIMPLE_HEAD
from rich.table import Table

from loadtest.accuracy import (
    AccuracyReport,
    LaterReport,
    PassReport,
    SpeakerReport,
    VoicesReport,
    fewer_errors,
)
from loadtest.cpwer import SpokenErrors
from loadtest.report import NOTHING, errors_cell, megabytes, percent, seconds, spread
from loadtest.scoring import WordErrors

Reports = Sequence[AccuracyReport]
Cell = Callable[[Reports], str]
"""Makes a cell of one recording, or of all."""


def accuracy_table(reports: Reports) -> Table:
    """Return what was heard, and what it took."""
    table = Table(caption="errors: substitutions + deletions + insertions", box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    columns = [[report] for report in reports]
    for report in reports:
        table.add_column(report.name, justify="right", overflow="fold")
    if len(reports) > 1:
        table.add_column("all", justify="right")
        columns.append(list(reports))
    for heading, cell in _ROWS:
        cells = [cell(column) for column in columns]
        if set(cells) - {NOTHING, ""}:
            table.add_row(heading, *cells)
    return table


def passes(reports: Reports) -> dict[str, WordErrors]:
    """Return the errors that stand after each pass, by its name, of all recordings together."""
    found = {"live": _sum(r.live for r in reports), "utterance": _sum(r.corrected for r in reports)}
    for name, pass_of in _LATER.items():
        later = [pass_of(report.later) for report in reports if report.later is not None]
        ours = [one.errors for one in later if one is not None]
        if ours and len(ours) == len(reports):
            found[name] = _sum(ours)
    wholes = [report.whole_file.errors for report in reports if report.whole_file is not None]
    if wholes:
        found["whole file"] = _sum(wholes)
    return found


_LATER: dict[str, Callable[[LaterReport], PassReport | None]] = {
    "stretch": lambda later: later.stretch,
    "recording": lambda later: later.recording,
    "only uncertain": lambda later: later.uncertain,
    "upload": lambda later: later.upload,
}


def _sum(errors: Iterable[WordErrors]) -> WordErrors:
    return reduce(add, errors, WordErrors())


def _errors(name: str) -> Cell:
    return lambda reports: (
        errors_cell(passes(reports)[name]) if name in passes(reports) else NOTHING
    )


def _fewer(name: str) -> Cell:
    def cell(reports: Reports) -> str:
        errors = passes(reports)
        return percent(fewer_errors(errors["live"], errors[name]), 0) if name in errors else NOTHING

    return cell


def _of_one(cell: Callable[[AccuracyReport], str]) -> Cell:
    """Make a cell of what cannot be added up."""
    return lambda reports: cell(reports[0]) if len(reports) == 1 else ""


def _of_speakers(cell: Callable[[SpeakerReport], str]) -> Cell:
    return _of_one(lambda report: NOTHING if report.speakers is None else cell(report.speakers))


def _of_voices(cell: Callable[[VoicesReport], str | None]) -> Cell:
    def of_report(report: AccuracyReport) -> str:
        voices = None if report.later is None else report.later.voices
        return NOTHING if voices is None else cell(voices) or NOTHING

    return _of_one(of_report)


def _offline_voices(report: AccuracyReport) -> str:
    if report.later is None or report.later.voices is None or report.speakers is None:
        return NOTHING
    return f"{report.later.voices.voices} / {report.speakers.people}"


def _offline_spoken(report: AccuracyReport) -> SpokenErrors | None:
    voices = None if report.later is None else report.later.voices
    return None if voices is None else voices.spoken


def _of_pass(name: str, cell: Callable[[PassReport], str]) -> Cell:
    def of_report(report: AccuracyReport) -> str:
        one = None if report.later is None else _LATER[name](report.later)
        return NOTHING if one is None else cell(one)

    return _of_one(of_report)


def _spoken(errors_of: Callable[[AccuracyReport], SpokenErrors | None]) -> Cell:
    def cell(reports: Reports) -> str:
        found = [errors_of(report) for report in reports]
        known = [errors for errors in found if errors is not None]
        return percent(reduce(add, known).rate) if known and len(known) == len(found) else NOTHING

    return cell


def _spoken_after(name: str) -> Cell:
    def errors_of(report: AccuracyReport) -> SpokenErrors | None:
        one = None if report.later is None else _LATER[name](report.later)
        return None if one is None else one.spoken

    return _spoken(errors_of)


def _saved(report: AccuracyReport) -> str:
    return NOTHING if report.later is None else percent(report.later.saved, 0)


def _whole_file_cost(report: AccuracyReport) -> str:
    return NOTHING if report.whole_file is None else f"{report.whole_file.cpu_per_audio_s:.3f}"


def _cpu(one: PassReport) -> str:
    return f"{one.cpu_per_audio_s:.3f}"


def _turns(collar: Callable[[SpeakerReport], float | None]) -> Cell:
    def cell(speakers: SpeakerReport) -> str:
        rate = collar(speakers)
        return NOTHING if rate is None else percent(rate)

    return _of_speakers(cell)


_ROWS: tuple[tuple[str, Cell], ...] = (
    ("words said", lambda reports: str(passes(reports)["live"].words)),
    ("live finals, errors %", _errors("live")),
    ("after the utterance pass, errors %", _errors("utterance")),
    ("  fewer than live, %", _fewer("utterance")),
    ("after the stretch pass, errors %", _errors("stretch")),
    ("  fewer than live, %", _fewer("stretch")),
    ("after the recording pass, errors %", _errors("recording")),
    ("  fewer than live, %", _fewer("recording")),
    ("  only what was uncertain, errors %", _errors("only uncertain")),
    ("    computing saved by that, %", _of_one(_saved)),
    ("file that nobody heard before, errors %", _errors("upload")),
    ("whole file, errors %", _errors("whole file")),
    ("final after word, median s", _of_one(lambda one: spread(one.final_latency_s)[0])),
    ("  90 %", _of_one(lambda one: spread(one.final_latency_s)[1])),
    (
        "word start wrong by, median s",
        _of_one(lambda one: seconds(one.times.start_s.median) if one.times else NOTHING),
    ),
    (
        "word end wrong by, median s",
        _of_one(lambda one: seconds(one.times.end_s.median) if one.times else NOTHING),
    ),
    ("speakers found / true", _of_speakers(lambda each: f"{each.voices} / {each.people}")),
    ("words of wrong voice, %", _of_speakers(lambda each: percent(each.words.rate))),
    ("diarization error rate, %", _turns(lambda each: each.turns.rate if each.turns else None)),
    (
        "  without 0.25 s at edges",
        _turns(lambda each: each.turns.core_rate if each.turns else None),
    ),
    ("afterwards: speakers found / true", _of_one(_offline_voices)),
    ("  words of wrong voice, %", _of_voices(lambda each: percent(each.words.rate))),
    (
        "  diarization error rate, %",
        _of_voices(lambda each: percent(each.turns.rate) if each.turns else None),
    ),
    (
        "    without 0.25 s at edges",
        _of_voices(lambda each: percent(each.turns.core_rate) if each.turns else None),
    ),
    ("cpWER %: live", _spoken(lambda one: one.speakers.live if one.speakers else None)),
    (
        "  after the utterance pass",
        _spoken(lambda one: one.speakers.corrected if one.speakers else None),
    ),
    ("  after the recording pass", _spoken_after("recording")),
    ("  file that nobody heard before", _spoken(_offline_spoken)),
    (
        "utterances / corrected",
        _of_one(lambda one: f"{one.utterances} / {one.corrections}"),
    ),
    ("finals out of order", _of_one(lambda one: str(one.disordered_finals))),
    ("CPU s per audio s: live", _of_one(lambda one: f"{one.costs.live:.3f}")),
    ("  utterance pass", _of_one(lambda one: f"{one.costs.utterance:.3f}")),
    ("  diarizer", _of_one(lambda one: f"{one.costs.diarizer:.3f}")),
    ("  vad", _of_one(lambda one: f"{one.costs.vad:.3f}")),
    ("  stretch pass", _of_pass("stretch", _cpu)),
    ("  recording pass", _of_pass("recording", _cpu)),
    (
        "  only what is uncertain",
        _of_pass("only uncertain", _cpu),
    ),
    ("  file that nobody heard before", _of_pass("upload", _cpu)),
    ("    of it telling voices apart", _of_voices(lambda each: f"{each.cpu_per_audio_s:.3f}")),
    ("  whole file", _of_one(_whole_file_cost)),
    ("peak RSS, MB: stretch pass", _of_pass("stretch", lambda one: megabytes(one.peak_rss_bytes))),
    ("  recording pass", _of_pass("recording", lambda one: megabytes(one.peak_rss_bytes))),
    (
        "  file that nobody heard before",
        _of_pass("upload", lambda one: megabytes(one.peak_rss_bytes)),
    ),
)
