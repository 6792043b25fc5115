"""What is seen while clients speak: a bar for each, with how far the server is behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from loadtest.latency import WatchStream
from trax_client import Event, Stats


@contextmanager
def watched(names: Sequence[str], audio_s: float) -> Iterator[WatchStream]:
    """Show the progress of clients that each speak so much audio.

    Yields:
        What is to be told their events.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} s, {task.fields[lag_s]:.1f} s behind"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars = [progress.add_task(name, total=audio_s, lag_s=0.0) for name in names]

        def watch(stream: int, event: Event) -> None:
            if isinstance(event, Stats):
                heard_s, lag_s = event.processed_ms / 1000, event.lag_ms / 1000
                progress.update(bars[stream], completed=heard_s, lag_s=lag_s)

        yield watch
