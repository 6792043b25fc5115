"""The live screen: final words solid, the newest still moving, drawn with rich.

Lines that have settled are printed and scroll away like any output; the last few, the partial and a
status line are redrawn in place below them.
"""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from trax_client.events import Done, Event, Stats
from trax_client.folding import Transcript, Turn
from trax_client.lines import SettlingLines, clock
from trax_client.session import Session
from trax_client.views import Latency, totals

PATIENCE_MS = 10_000
"""Longer than for plain lines: here a line that may change is seen all the same."""

REDRAWS_PER_S = 8
"""Twice as often as partials come."""

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")


class Screen:
    """Draws one session at the bottom of the terminal; a `View`."""

    def __init__(self, console: Console, session: Session, name: str) -> None:
        self._console = console
        self._session = session
        self._transcript = Transcript()
        self._lines = SettlingLines(self._transcript, PATIENCE_MS)
        self._done: Done | None = None
        self._printed_speaker: str | None = None
        self._console.print(Text(name, style="bold"))
        self._live = Live(
            self,
            console=console,
            refresh_per_second=REDRAWS_PER_S,
            transient=True,
            vertical_overflow="visible",
        )
        self._live.start()

    def show(self, event: Event) -> None:
        """Take an event in; it is drawn with the next redraw."""
        self._transcript.apply(event)
        if isinstance(event, Stats):
            for line in self._lines.take(event.processed_ms):
                self._print(line)
        elif isinstance(event, Done):
            self._done = event

    def finish(self, latency: Latency) -> None:
        """Print the rest and the totals, and give the terminal back."""
        self._live.stop()
        for line in self._lines.take_all():
            self._print(line)
        if self._done is not None:
            self._console.print(Text(totals(self._done, latency), style="dim"))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw what may still change, as much of its end as the terminal has room for."""
        parts: list[Text] = []
        speaker = self._printed_speaker
        for line in self._lines.rest():
            parts.append(self._drawn(line, speaker))
            speaker = line.speaker
        if self._transcript.partial is not None:
            text = "".join(word.text for word in self._transcript.partial.words)
            parts.append(Text(text.strip(), style="dim italic"))
        parts.append(self._status())
        drawn = console.render_lines(Group(*parts), options, pad=False)
        for segments in drawn[-max(1, options.size.height - 1) :]:
            yield from segments
            yield Segment.line()

    def _status(self) -> Text:
        stats = self._session.stats
        status = Text(f"{clock(stats.taken_ms)}  lag {stats.lag_ms / 1000:.1f} s  ", style="dim")
        if self._done is not None:
            return status.append("done", style="green")
        if stats.connected:
            return status.append("connected", style="green")
        return status.append("reconnecting, your audio is kept", style="bold yellow")

    def _print(self, line: Turn) -> None:
        self._console.print(self._drawn(line, self._printed_speaker))
        self._printed_speaker = line.speaker

    def _drawn(self, line: Turn, last_speaker: str | None) -> Text:
        """Return a line, with a heading where the speaker changes."""
        drawn = Text()
        if line.speaker is not None and line.speaker != last_speaker:
            drawn.append(f"{line.speaker} ", style=f"bold {self._colour(line.speaker)}")
            drawn.append(clock(line.start_ms) + "\n", style="dim")
        for index, spoken in enumerate(line.words):
            text = spoken.word.text if index else spoken.word.text.lstrip()
            drawn.append(text, style="underline" if spoken.corrected else "")
        return drawn

    def _colour(self, speaker: str) -> str:
        speakers = self._transcript.speakers
        return COLOURS[speakers.index(speaker) % len(COLOURS)]
