"""The live screen of a transcript that one follows, drawn with rich."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from trax_client.document import Change
from trax_client.following import as_lines
from trax_client.transcript import SharedTranscript

REDRAWS_PER_S = 8
"""Twice as often as partials come."""


class FollowScreen:
    """Draws a transcript as it stands, as much of its end as the terminal has room for."""

    def __init__(self, transcript: SharedTranscript) -> None:
        self._transcript = transcript
        self._console = Console()
        self._live = Live(
            self,
            console=self._console,
            refresh_per_second=REDRAWS_PER_S,
            transient=True,
            vertical_overflow="visible",
        )

    def __enter__(self) -> FollowScreen:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the terminal back, with all of the turns printed."""
        self._live.stop()
        for line in as_lines(self._transcript.turns):
            self._console.print(Text(line))

    def show(self, change: Change) -> None:
        """Leave it to the next redraw, which reads what stands then."""

    def tick(self) -> None:
        """Nothing waits here."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw title, turns and what is being said."""
        parts = [Text(self._transcript.title, style="bold")]
        parts += (Text(line) for line in as_lines(self._transcript.turns))
        parts += (Text(line, style="dim italic") for line in as_lines(self._transcript.partials))
        if not self._transcript.connected:
            parts.append(Text("reconnecting", style="bold yellow"))
        drawn = console.render_lines(Group(*parts), options, pad=False)
        for segments in drawn[-max(1, options.size.height - 1) :]:
            yield from segments
            yield Segment.line()
