"""How fast the web page is with a long meeting, in a real Chromium.

The meeting of `page_meeting` is opened as somebody does who never was there; then the page listens
to a microphone, which is a file, and shows what a server with scripted engines hears; then somebody
types in the middle while that goes on. `node/page.js` drives the browser and takes the times in the
page itself.

A key counts until the frame is drawn that shows what it did, and a message of the server from when
the browser has it. Both wait for the next frame: 8 ms on average at 60 frames a second. Where other
programs want the processor too, only processor times say what the page costs.
"""

from __future__ import annotations

import json
import shutil
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from loadtest.errors import LoadtestError
from loadtest.node_scripts import FOLDER, running_script
from loadtest.report import megabytes

SAMPLE_RATE = 16_000
BROWSERS = ("chromium", "google-chrome", "chromium-browser")


@dataclass(frozen=True, slots=True)
class Times:
    """Of at least one thing, in milliseconds."""

    count: int
    p50: float
    p95: float
    maximum: float

    @classmethod
    def of(cls, times_ms: Sequence[float]) -> Times | None:
        """Return how they are spread, or `None` of none."""
        if not times_ms:
            return None
        p50, p95 = np.percentile(np.array(times_ms), (50, 95))
        return cls(len(times_ms), float(p50), float(p95), max(times_ms))


@dataclass(frozen=True, slots=True)
class Memory:
    """Of a page, after its garbage was collected."""

    heap_bytes: int
    nodes: int


@dataclass(frozen=True, slots=True)
class PageReport:
    """What was measured.

    Attributes:
        hours: How long the meeting is.
        minutes: How long the page listened.
        start_bytes: What the start page weighs, as it is sent.
        all_bytes: The same together with the page of a meeting.
        first_paint: Of the start page, with nothing in the cache.
        opening: From following the link to the words.
        scrolling: From the start of the meeting to its end.
        opened: Memory then.
        listening: Memory once words arrive, and at the end.
        partial: From a partial in the browser to its pixels.
        final: The same for final words.
        key: From a key to its pixels, while words arrive.
        opening_busy: Processor time of the page's main thread until the meeting is open, and its
            words have times.
        key_busy_ms: The same for each key, together with the words that arrive meanwhile.
    """

    hours: float
    minutes: float
    start_bytes: int
    all_bytes: int
    first_paint: Times | None
    opening: Times | None
    scrolling: Times | None
    opened: Memory
    listening: tuple[Memory, Memory]
    partial: Times | None
    final: Times | None
    key: Times | None
    opening_busy: Times | None
    key_busy_ms: float


async def measure_page(
    url: str,
    transcript: str,
    hours: float,
    voice: Path,
    minutes: float,
    tell: Callable[[str], None],
) -> PageReport:
    """Open a meeting in a browser and speak into it.

    Args:
        url: Of a server, token included.
        transcript: The meeting's id.
        hours: Its length.
        voice: What the microphone hears: a WAV file.
        minutes: How long.
        tell: Told what is going on.

    Raises:
        LoadtestError: There is no Chromium or no Node, or the page does not work.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise LoadtestError("Chromium expected: on Debian `apt-get install chromium`")
    plan: dict[str, object] = {"url": url, "transcript": transcript, "chromium": browser}
    plan |= {"voice": str(voice), "minutes": minutes}
    async with running_script(FOLDER / "page.js", json.dumps(plan)) as script:
        while not (line := await script.line()).startswith("{"):
            tell(line)
    return _report(json.loads(line), hours, minutes)


def _report(measured: dict[str, Any], hours: float, minutes: float) -> PageReport:
    opened, before, after = (
        Memory(int(measured[name]["bytes"]), int(measured[name]["nodes"]))
        for name in ("opened", "before", "after")
    )
    return PageReport(
        hours,
        minutes,
        int(measured["startBytes"]),
        int(measured["allBytes"]),
        Times.of(measured["paints"]),
        Times.of(measured["openings"]),
        Times.of(measured["scrolls"]),
        opened,
        (before, after),
        Times.of(measured["partials"]),
        Times.of(measured["finals"]),
        Times.of(measured["keys"]),
        Times.of(measured["openingsBusy"]),
        float(measured["keyBusyMs"]),
    )


def write_voice(audio: bytes, path: Path) -> None:
    """Write what a microphone is to hear: 16-bit mono at 16 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(audio)


def page_table(report: PageReport) -> Table:
    """Return what was measured as a table."""
    table = Table(title=f"the page, with a meeting of {report.hours:g} h", box=SIMPLE_HEAD)
    for heading in ("", "n", "p50", "p95", "max"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    times = (
        ("first paint, ms", report.first_paint),
        ("opening, ms", report.opening),
        ("  work, processor ms", report.opening_busy),
        ("scrolling to the end, ms", report.scrolling),
        ("key to paint while words come, ms", report.key),
        ("partial, browser to paint, ms", report.partial),
        ("final, browser to paint, ms", report.final),
    )
    for heading, spread in times:
        cells: tuple[str, ...] = ("-",) * 4
        if spread is not None:
            values = (spread.p50, spread.p95, spread.maximum)
            cells = (str(spread.count), *(f"{value:.0f}" for value in values))
        table.add_row(heading, *cells)
    before, after = report.listening
    grown = (after.heap_bytes - before.heap_bytes) / report.minutes
    facts = (
        ("work a key, processor ms", f"{report.key_busy_ms:.1f}"),
        ("start page as sent, kB", f"{report.start_bytes / 1000:.0f}"),
        ("  with the meeting page", f"{report.all_bytes / 1000:.0f}"),
        ("memory after opening, MB", megabytes(report.opened.heap_bytes)),
        ("  nodes of the document", str(report.opened.nodes)),
        (f"memory after {report.minutes:g} min, MB", megabytes(after.heap_bytes)),
        ("  more each minute, kB", f"{grown / 1000:.0f}"),
    )
    for heading, value in facts:
        table.add_row(heading, "", value, "", "")
    return table
