"""`trax models list | fetch | verify`: the models' files, for people and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from server.errors import StartError
from server.settings import Settings
from streaming import weights
from streaming.errors import StreamingError
from streaming.weights import CATALOGUE, Damaged, Missing, Phase, State, Verdict

DIARIZATION = ("segmentation-3.0", "campplus")
"""What a server loads to tell speakers apart (`streaming.engines.loading`)."""

_COLOURS = {State.PRESENT: "green", State.MISSING: "yellow", State.DAMAGED: "red"}
_PHASES = {Phase.DOWNLOAD: "fetching", Phase.EXTRACT: "unpacking", Phase.CONVERT: "converting"}


def needed(settings: Settings) -> list[str]:
    """Return the weights of our catalogue that a server with these settings loads."""
    live = [settings.live_model] if settings.live_model in CATALOGUE else []
    return [*live, "silero-vad", *(DIARIZATION if settings.diarization else ())]


def show(settings: Settings, *, as_json: bool) -> int:
    """List every weight that we know, whether it is here, and whether it is needed."""
    verdicts = weights.overview(settings.cache_dir)
    if as_json:
        _print_json(verdicts)
        return 0
    console = Console(highlight=False, soft_wrap=True)
    for verdict in verdicts:
        weight, colour = verdict.weight, _COLOURS[verdict.state]
        use = "needed" if weight.name in needed(settings) else "not needed"
        size = f"{weight.size_bytes / 1e6:.0f} MB"
        console.print(f"[bold]{weight.name}[/]  [{colour}]{verdict.state.value}[/]  {size}  {use}")
        console.print(f"  purpose   {weight.purpose}")
        console.print(f"  source    {weight.source}, by {weight.origin}")
        console.print(f"  licence   {weight.licence}")
        console.print(f"  SHA-256   {verdict.sha256 or '-'}")
        console.print(f"  folder    {verdict.folder}\n")
    return 0


def fetch(names: Sequence[str], settings: Settings, *, all_of_them: bool) -> int:
    """Bring weights here, showing how far it is.

    Raises:
        StartError: One could not be had; what was here before is untouched.
    """
    wanted = list(CATALOGUE) if all_of_them else names or needed(settings)
    console = Console(stderr=True)
    try:
        with _Bars(console) as bars:
            verdicts = weights.fetch(wanted, settings.cache_dir, bars.advance)
    except StreamingError as error:
        raise StartError(str(error)) from error
    for verdict in verdicts:
        console.print(f"{verdict.weight.name}: verified, in {verdict.folder}", soft_wrap=True)
    return 0


def verify(names: Sequence[str], settings: Settings, *, as_json: bool) -> int:
    """Compute every checksum; return 1 if something that should be here is not, or is damaged.

    Raises:
        StartError: A name is not in the catalogue.
    """
    try:
        verdicts = weights.verify(names, settings.cache_dir)
    except StreamingError as error:
        raise StartError(str(error)) from error
    expected = set(names or needed(settings))
    # Nobody asked for the others: they are only looked at when they are here.
    found = [v for v in verdicts if v.state is not State.MISSING or v.weight.name in expected]
    if as_json:
        _print_json(found)
    else:
        console = Console()
        for verdict in found:
            colour = _COLOURS[verdict.state]
            console.print(f"[{colour}]{verdict.state.value:8}[/] {verdict.weight.name}")
            for line in complaints(verdict):
                console.print(f"         {line}", soft_wrap=True, highlight=False)
    return 1 if any(verdict.state is not State.PRESENT for verdict in found) else 0


def complaints(verdict: Verdict) -> list[str]:
    """Return what is wrong with a weight, and what mends it."""
    lines: list[str] = []
    for file in verdict.files:
        match file:
            case Missing(path=path):
                lines.append(f"{path} is missing")
            case Damaged(path=path, expected=expected, found=found):
                lines.append(f"{path}: expected {expected}, found {found}")
    return [*lines, f"run: {verdict.weight.mend}"] if lines else []


class _Bars:
    """One progress bar for each phase of each weight."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(compact=True),
            console=console,
        )
        self._bars: dict[tuple[str, Phase], TaskID] = {}

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._progress.stop()

    def advance(self, weight: str, phase: Phase, done_bytes: int, total_bytes: int) -> None:
        """Move a bar; implements `weights.Progress`."""
        if (weight, phase) not in self._bars:
            text = f"{_PHASES[phase]:10} {weight}"
            self._bars[weight, phase] = self._progress.add_task(text, total=total_bytes)
        self._progress.update(self._bars[weight, phase], completed=done_bytes, total=total_bytes)


def _print_json(verdicts: Sequence[Verdict]) -> None:
    rows = [
        {
            "name": verdict.weight.name,
            "state": verdict.state.value,
            "purpose": verdict.weight.purpose,
            "origin": verdict.weight.origin,
            "source": verdict.weight.source,
            "licence": verdict.weight.licence,
            "size_bytes": verdict.weight.size_bytes,
            "sha256": verdict.sha256,
            "folder": str(verdict.folder),
            "problems": complaints(verdict),
        }
        for verdict in verdicts
    ]
    json.dump(rows, sys.stdout, indent=2)
    sys.stdout.write("\n")
