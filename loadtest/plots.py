"""Results as pictures; the only module that imports matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from loadtest.accuracy_report import Reports, passes
from loadtest.comparison import Compared
from loadtest.corrections import StretchesReport
from loadtest.distribution import PERCENTS
from loadtest.editors import EditingReport, Spread
from loadtest.lookahead import LookaheadReport
from loadtest.scoring import WordErrors
from loadtest.soak import SoakReport
from loadtest.streams import StreamsReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN, HEIGHT_IN = 8.0, 4.5
KINDS = ("substitutions", "deletions", "insertions")


def plot_accuracy(reports: Reports, folder: Path) -> list[Path]:
    """Draw the errors that stand after each pass, and what passes take; return the files."""
    files = [folder / "errors.png", folder / "costs.png"]
    for file, draw in zip(files, (_draw_errors, _draw_costs), strict=True):
        figure = _figure()
        draw(figure.subplots(), reports)
        figure.savefig(file)
    return files


def plot_stretches(report: StretchesReport, file: Path) -> None:
    """Draw how long corrections and finals took, into a file."""
    figure = _figure()
    left, right = figure.subplots(1, 2)
    took_s = [each.corrected_s for each in report.stretches if each.corrected_s is not None]
    _draw_parts(left, {"stretches": took_s}, "from the end of a stretch to its correction")
    finals_s = {
        name: [s for each in report.rounds if each.accurate is accurate for s in each.final_s]
        for name, accurate in (("with workers", True), ("without", False))
    }
    _draw_parts(right, finals_s, "from the end of a word to its final")
    figure.savefig(file)


def plot_latency(servers: Sequence[Compared], file: Path) -> None:
    """Draw how many words are shown and final after how long, into a file; all rounds."""
    figure = _figure()
    axes = figure.subplots()
    for number, server in enumerate(servers):
        for one in server.rounds:
            for spread, style in ((one.final_s, "-"), (one.shown_s, ":")):
                if spread is not None:
                    axes.plot(spread.twentieths, PERCENTS, style, color=f"C{number}")
        axes.plot([], [], "-", color=f"C{number}", label=f"{server.name}: final")
        axes.plot([], [], ":", color=f"C{number}", label=f"{server.name}: first shown")
    axes.set_xlabel("seconds from the end of a word")
    axes.set_ylabel("% of the words")
    axes.set_title("Latency of words")
    axes.legend()
    figure.savefig(file)


def plot_streams(reports: Sequence[StreamsReport], file: Path) -> None:
    """Draw how long finals take against the number of streams, into a file."""
    figure = _figure()
    axes = figure.subplots()
    for number, report in enumerate(reports):
        known = [(step.streams, step.figures) for step in report.steps]
        measured = [(streams, told) for streams, told in known if told is not None]
        for style, name, rows in (
            ("o-", "90 %", [(streams, told.final_p90_s) for streams, told in measured]),
            ("o:", "median", [(streams, told.final_p50_s) for streams, told in measured]),
        ):
            points = [(streams, final_s) for streams, final_s in rows if final_s is not None]
            if points:
                label = f"{report.server}: {name}"
                axes.plot(*zip(*points, strict=True), style, color=f"C{number}", label=label)
    axes.axhline(reports[0].limit_s, color="gray", linewidth=0.8)
    axes.set_xlabel("streams at once")
    axes.set_xticks(sorted({step.streams for report in reports for step in report.steps}))
    axes.set_ylabel("seconds from the end of a word to its final")
    axes.set_yscale("log", subs=(2, 5))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.set_title("Streams against latency")
    axes.legend()
    figure.savefig(file)


def plot_lookahead(reports: Sequence[LookaheadReport], file: Path) -> None:
    """Draw latency and errors against the look-ahead, into a file."""
    figure = _figure()
    left, right = figure.subplots(1, 2)
    waits_s = [each.lookahead_ms / 1000 for each in reports]
    latencies: dict[str, list[float | None]] = {
        "final, 90 %": [each.final_p90_s for each in reports],
        "final, median": [each.final_p50_s for each in reports],
        "first shown, median": [each.shown_p50_s for each in reports],
    }
    _draw_against(left, waits_s, latencies)
    left.set_ylabel("seconds from the end of a word")
    errors: dict[str, list[float | None]] = {
        "word errors": [100 * each.live.rate if each.live else None for each in reports],
        "diarization errors": [
            100 * each.speakers.rate if each.speakers else None for each in reports
        ],
    }
    _draw_against(right, waits_s, errors)
    right.set_ylabel("%")
    figure.suptitle("Against the look-ahead")
    figure.savefig(file)


def plot_memory(report: SoakReport, file: Path) -> None:
    """Draw the memory of a long session against the audio that was heard, into a file."""
    figure = _figure()
    axes = figure.subplots()
    minutes = [sample.heard_s / 60 for sample in report.memory]
    axes.plot(minutes, [sample.rss_bytes / 1e6 for sample in report.memory], "o-")
    axes.set_xlabel("minutes of audio")
    axes.set_ylabel("MB")
    axes.set_ylim(bottom=0)
    axes.set_title("Memory of the server in one long session")
    figure.savefig(file)


def plot_editing(reports: Sequence[EditingReport], file: Path) -> None:
    """Draw how long edits and final words take against the number of editors, into a file."""
    figure = _figure()
    axes = figure.subplots()
    counts = [report.editors for report in reports]
    rows: dict[str, list[Spread | None]] = {
        "edits": [report.latency_ms for report in reports],
        "final words": [report.finals_ms for report in reports],
    }
    for number, (name, spreads) in enumerate(rows.items()):
        known = [(n, each) for n, each in zip(counts, spreads, strict=True) if each is not None]
        for style, part, values in (
            (":", "median", [each.p50 for _, each in known]),
            ("-", "99 %", [each.p99 for _, each in known]),
        ):
            label = f"{name}, {part}"
            axes.plot([n for n, _ in known], values, f"o{style}", color=f"C{number}", label=label)
    axes.set_xlabel("editors at once")
    axes.set_ylabel("ms to every other editor")
    axes.set_ylim(bottom=0)
    axes.set_title("Edits and final words")
    axes.legend()
    figure.savefig(file)


def _draw_against(
    axes: Axes, waits_s: Sequence[float], rows: Mapping[str, Sequence[float | None]]
) -> None:
    """Draw what is known of each row."""
    for name, values in rows.items():
        points = [(x, y) for x, y in zip(waits_s, values, strict=True) if y is not None]
        if points:
            axes.plot(*zip(*points, strict=True), "o-", label=name)
    axes.set_xlabel("look-ahead, seconds")
    axes.set_ylim(bottom=0)
    axes.legend()


def _figure() -> Figure:
    # Half a second of imports, for reports with pictures only. Agg needs no display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _draw_errors(axes: Axes, reports: Reports) -> None:
    errors = passes(reports)
    below = [0.0] * len(errors)
    rows = zip(*map(_rates, errors.values()), strict=True)
    for kind, rates in zip(KINDS, rows, strict=True):
        axes.bar(list(errors), rates, bottom=below, label=kind)
        below = [one + other for one, other in zip(below, rates, strict=True)]
    axes.set_ylabel("word errors, %")
    axes.set_title("Word errors that stand after each pass")
    axes.legend()


def _draw_costs(axes: Axes, reports: Reports) -> None:
    costs = _costs(reports)
    axes.bar(list(costs), list(costs.values()))
    axes.set_ylabel("processor seconds for a second of audio")
    axes.set_title("What each pass takes")


def _rates(errors: WordErrors) -> tuple[float, ...]:
    """Return errors of each of `KINDS`, in percent of the words that were said."""
    counts = (errors.substitutions, errors.deletions, errors.insertions)
    return tuple(100 * count / max(1, errors.words) for count in counts)


def _costs(reports: Reports) -> dict[str, float]:
    """Return processor seconds for each second of audio, of all recordings together."""
    audio_s = sum(report.duration_s for report in reports)
    sums = {
        "live": sum(r.costs.live * r.duration_s for r in reports),
        "utterance": sum(r.costs.utterance * r.duration_s for r in reports),
    }
    laters = [(r.later, r.duration_s) for r in reports if r.later is not None]
    if len(laters) == len(reports):
        sums["recording"] = sum(each.recording.cpu_per_audio_s * s for each, s in laters)
        sums["only uncertain"] = sum(each.uncertain.cpu_per_audio_s * s for each, s in laters)
    return {name: cpu_s / audio_s for name, cpu_s in sums.items()}


def _draw_parts(axes: Axes, rows: dict[str, list[float]], title: str) -> None:
    """Draw what part of all took at most so long."""
    for name, values in rows.items():
        ordered = sorted(values)
        axes.step(ordered, [(n + 1) / len(ordered) for n in range(len(ordered))], label=name)
    axes.set_xlabel("seconds")
    axes.set_ylabel("part of all")
    axes.set_title(title)
    axes.legend()
