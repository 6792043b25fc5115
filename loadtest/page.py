"""How fast the web page is with a long meeting, in a real Chromium.

The meeting of `page_meeting` is opened as somebody does who never was there; then the page listens
to a microphone, which is a file, and shows what a server with scripted engines hears; then somebody
types in the middle while that goes on. `node/page.js` drives the browser and takes the times in the
page itself.

A key counts until the frame is drawn that shows what it did, and a message of the server from when
the browser has it. Both wait for the next frame: at 60 frames a second 8 ms on average, and 16 ms
for one of twenty. So the same keys are pressed in an empty page as well. Where other programs want
the processor too, only processor times say what the page costs.
"""

from __future__ import annotations

import json
import shutil
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from loadtest.errors import LoadtestError
from loadtest.node_scripts import FOLDER, running_script
from loadtest.report import NOTHING, megabytes

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


class Stage(Enum):
    """When a part of the page is needed."""

    START = "start"
    TEXT = "text"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the page, and its size as it is sent."""

    name: str
    stage: Stage
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Of a page, after its garbage was collected.

    Attributes:
        minute: Since it began to listen.
        heap_bytes: Of its scripts.
        nodes: Of its document.
        listeners: For events of its document.
        words: In the transcript that it shows.
    """

    minute: float
    heap_bytes: int
    nodes: int
    listeners: int
    words: int


@dataclass(frozen=True, slots=True)
class PageReport:
    """What was measured.

    Attributes:
        hours: How long the meeting is.
        minutes: How long the page listened.
        parts: What it consists of.
        first_paint: Of the start page, with nothing in the cache.
        opening: From following the link to the words.
        scrolling: From the start of the meeting to its end.
        opened_bytes: Memory then.
        memory: While it listens, from the first word to the end.
        partial: From a partial in the browser to its pixels.
        final: The same for final words.
        key: From a key to its pixels, while words arrive.
        empty_key: The same in a page with nothing but a text field: what no page can be below.
        opening_busy: Processor time of the page's main thread until the meeting is open, and its
            words have times.
        key_busy_ms: The same for each key, together with the words that arrive meanwhile.
    """

    hours: float
    minutes: float
    parts: tuple[Part, ...]
    first_paint: Times | None
    opening: Times | None
    scrolling: Times | None
    opened_bytes: int
    memory: tuple[Memory, ...]
    partial: Times | None
    final: Times | None
    key: Times | None
    empty_key: Times | None
    opening_busy: Times | None
    key_busy_ms: float

    @property
    def start_bytes(self) -> int:
        """What the start page weighs."""
        return self._weight(Stage.START)

    @property
    def text_bytes(self) -> int:
        """What a meeting weighs that one reads and writes, notes and all."""
        return self._weight(Stage.START, Stage.TEXT)

    @property
    def all_bytes(self) -> int:
        """The same with what hears and speaks."""
        return self._weight(*Stage)

    @property
    def bytes_per_minute(self) -> float | None:
        """By how much memory grows, in the second half of the listening."""
        late = self._late()
        return slope([each.minute for each in late], [each.heap_bytes for each in late])

    @property
    def bytes_per_word(self) -> float | None:
        """The same for each word that arrives."""
        late = self._late()
        return slope([each.words for each in late], [each.heap_bytes for each in late])

    def _weight(self, *stages: Stage) -> int:
        return sum(part.size_bytes for part in self.parts if part.stage in stages)

    def _late(self) -> Sequence[Memory]:
        return self.memory[len(self.memory) // 2 :]


def slope(places: Sequence[float], values: Sequence[float]) -> float | None:
    """Return the median of the slopes between all points (Theil-Sen), or `None` of one point."""
    slopes = [
        (values[after] - values[before]) / (places[after] - places[before])
        for before, after in combinations(range(len(places)), 2)
        if places[after] != places[before]
    ]
    return float(np.median(slopes)) if slopes else None


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
    parts = (Part(each["name"], Stage(each["stage"]), each["bytes"]) for each in measured["parts"])
    memory = (
        Memory(each["minute"], each["bytes"], each["nodes"], each["listeners"], each["words"])
        for each in measured["memory"]
    )
    return PageReport(
        hours,
        minutes,
        tuple(parts),
        Times.of(measured["paints"]),
        Times.of(measured["openings"]),
        Times.of(measured["scrolls"]),
        int(measured["opened"]["bytes"]),
        tuple(memory),
        Times.of(measured["partials"]),
        Times.of(measured["finals"]),
        Times.of(measured["keys"]),
        Times.of(measured["emptyKeys"]),
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
        ("  in an empty page", report.empty_key),
        ("partial, browser to paint, ms", report.partial),
        ("final, browser to paint, ms", report.final),
    )
    for heading, spread in times:
        cells: tuple[str, ...] = (NOTHING,) * 4
        if spread is not None:
            values = (spread.p50, spread.p95, spread.maximum)
            cells = (str(spread.count), *(f"{value:.0f}" for value in values))
        table.add_row(heading, *cells)
    facts = (
        ("work a key, processor ms", f"{report.key_busy_ms:.1f}"),
        ("start page as sent, kB", f"{report.start_bytes / 1000:.0f}"),
        ("  with a meeting's text and notes", f"{report.text_bytes / 1000:.0f}"),
        ("  with player and microphone", f"{report.all_bytes / 1000:.0f}"),
        ("memory after opening, MB", megabytes(report.opened_bytes)),
        ("  more each minute of speech, kB", _kilobytes(report.bytes_per_minute)),
        ("  more each 1,000 words, kB", _kilobytes(report.bytes_per_word, 1_000)),
    )
    for heading, value in facts:
        table.add_row(heading, "", value, "", "")
    return table


def _kilobytes(size: float | None, times: int = 1) -> str:
    return NOTHING if size is None else f"{size * times / 1000:.0f}"


def memory_table(report: PageReport) -> Table:
    """Return what was in memory while the page listened as a table."""
    table = Table(title="memory while it listens", box=SIMPLE_HEAD)
    for heading in ("minute", "MB", "nodes", "listeners", "words"):
        table.add_column(heading, justify="right")
    for each in report.memory:
        counts = (str(each.nodes), str(each.listeners), str(each.words))
        table.add_row(f"{each.minute:.1f}", megabytes(each.heap_bytes), *counts)
    return table
