"""`trax doctor`: what a server on this machine would find present, missing or slow."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires, version

from rich.console import Console

from offline.errors import QueueUnavailable
from server.defaults import usable_cores
from server.errors import StartError
from server.model_commands import complaints, needed
from server.serving import OURS, check_packages, listen
from server.settings import Settings
from streaming import weights
from streaming.errors import StreamingError
from streaming.weights import CATALOGUE, State

OLDEST_PYTHON = (3, 11)
AUDIO_BYTES_AN_HOUR = 115_200_000
"""16 kHz, 16 bits."""

LATE = 3
"""How many times as many sessions as a machine hears without delay are too many: with twice as
many, words come some two seconds later, and corrections become rare."""

FEW_HOURS = 10
"""Less room than this for recordings is worth a word."""


class Verdict(StrEnum):
    """How a finding is to be taken."""

    GOOD = "good"
    SLOW = "slow"
    """The server runs, but not as well as it might."""
    MISSING = "missing"
    """The server does not run."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined.

    Attributes:
        name: What.
        verdict: How it is.
        detail: What was found.
        advice: What to do about it, if something is to be done.
    """

    name: str
    verdict: Verdict
    detail: str
    advice: str = ""


_NAME = re.compile(r"[\w.-]+")
_COLOURS = {Verdict.GOOD: "green", Verdict.SLOW: "yellow", Verdict.MISSING: "red"}


def examine(settings: Settings, *, as_json: bool) -> int:
    """Examine everything, telling each finding at once; return 1 if a server could not run."""
    console = Console(highlight=False, soft_wrap=True)
    waiting = Console(stderr=True)
    findings: list[Finding] = []
    for name, examination in EXAMINATIONS.items():
        if name == "speed" and _hopeless(findings):
            break  # The models would not load.
        with waiting.status(f"{name} ..."):
            found = list(examination(settings))
        findings += found
        if not as_json:
            for finding in found:
                _show(console, finding)
    if as_json:
        json.dump([asdict(finding) for finding in findings], sys.stdout, indent=2)
        sys.stdout.write("\n")
    return 1 if _hopeless(findings) else 0


def _hopeless(findings: Sequence[Finding]) -> bool:
    return any(finding.verdict is Verdict.MISSING for finding in findings)


def _show(console: Console, finding: Finding) -> None:
    colour = _COLOURS[finding.verdict]
    console.print(f"[{colour}]{finding.verdict:8}[/] [bold]{finding.name}[/]  {finding.detail}")
    if finding.advice:
        console.print(f"         -> {finding.advice}")


def _python(_settings: Settings) -> Iterator[Finding]:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info >= OLDEST_PYTHON:
        yield Finding("Python", Verdict.GOOD, text)
    else:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        yield Finding("Python", Verdict.MISSING, text, f"install Python {wanted} or newer")


def _packages(_settings: Settings) -> Iterator[Finding]:
    try:
        wanted = [_NAME.match(text) for text in requires(OURS) or ()]
    except PackageNotFoundError:
        yield Finding("packages", Verdict.SLOW, f"{OURS} is not installed", "run: make setup")
        wanted = []
    missing = [name[0] for name in wanted if name and not _installed(name[0])]
    if missing:
        advice = "run: make setup"
        yield Finding("packages", Verdict.MISSING, f"missing: {', '.join(missing)}", advice)
    elif wanted:
        torch = _installed("torch") or "none"
        yield Finding("packages", Verdict.GOOD, f"all {len(wanted)} are there, torch {torch}")
    try:
        check_packages()
    except StartError as error:
        yield Finding("package names", Verdict.MISSING, str(error))


def _models(settings: Settings) -> Iterator[Finding]:
    names = needed(settings)
    for verdict in weights.verify(names, settings.cache_dir):
        name, folder = f"model {verdict.weight.name}", str(verdict.folder)
        if verdict.state is State.PRESENT:
            yield Finding(name, Verdict.GOOD, f"verified, in {folder}")
        else:
            *problems, advice = complaints(verdict)
            yield Finding(name, Verdict.MISSING, "; ".join(problems), advice)
    if settings.live_model not in CATALOGUE:
        text = f"{settings.live_model} is none of ours: nothing is known about it"
        yield Finding("recognizer", Verdict.GOOD, text)


def _machine(settings: Settings) -> Iterator[Finding]:
    cores = usable_cores()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    text = f"{cores} cores, {memory:.0f} GB of memory, recognizer on {settings.device}"
    if settings.device != "cuda" and (settings.recognizer_workers or 1) > cores:
        advice = f"set --recognizer-workers to at most {cores}"
        yield Finding("machine", Verdict.SLOW, text, advice)
    elif cores == 1:
        yield Finding("machine", Verdict.SLOW, text, "two cores or more keep up with speakers")
    else:
        yield Finding("machine", Verdict.GOOD, text)


def _data(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free
    except OSError as error:
        advice = "choose a folder that can be written with --data-dir"
        yield Finding("data folder", Verdict.MISSING, f"{folder}: {error.strerror}", advice)
        return
    hours = free // AUDIO_BYTES_AN_HOUR
    text = f"{folder}, room for {hours} hours of audio"
    if hours < FEW_HOURS:
        advice = "make room, or lower --retention-days"
        yield Finding("data folder", Verdict.SLOW, text, advice)
    else:
        yield Finding("data folder", Verdict.GOOD, text)


def _port(settings: Settings) -> Iterator[Finding]:
    try:
        listen(settings).close()
    except StartError as error:
        yield Finding("port", Verdict.SLOW, str(error), "fine if that is your running server")
    else:
        yield Finding("port", Verdict.GOOD, f"{settings.port} on {settings.host} is free")


def _redis(settings: Settings) -> Iterator[Finding]:
    from offline.queue import JobQueue  # noqa: PLC0415 - only where there is one

    if settings.redis_url is None:
        return
    try:
        queue = JobQueue(settings.redis_url)
    except ValueError as error:
        yield Finding("Redis", Verdict.MISSING, str(error), "see --redis-url")
        return
    try:
        waiting = queue.waiting()
    except QueueUnavailable as error:
        advice = "jobs wait until it is back; nothing else does"
        yield Finding("Redis", Verdict.SLOW, str(error), advice)
    else:
        text = f"answers on {queue.place}, {waiting} messages wait for workers"
        yield Finding("Redis", Verdict.GOOD, text)
    finally:
        queue.close()


def _speed(settings: Settings) -> Iterator[Finding]:
    from server.speed import measure  # noqa: PLC0415 - loads seconds of libraries

    try:
        measured = measure(settings)
    except StreamingError as error:
        yield Finding("speed", Verdict.MISSING, str(error))
        return
    yield Finding("loading", Verdict.GOOD, f"{measured.loading_s:.1f} s")
    for speed in measured.speeds:
        slow = speed.realtime < speed.enough
        text = f"{speed.realtime:.0f} x real time, {speed.detail}"
        advice = f"this machine will fall behind: {speed.relief}" if slow else ""
        yield Finding(speed.name, Verdict.SLOW if slow else Verdict.GOOD, text, advice)
    if measured.sessions is not None:
        yield _capacity(measured.sessions, settings.max_sessions)


def _capacity(sessions: float, most: int) -> Finding:
    text = f"{sessions:.1f} people may speak at once before words come later; {most} may connect"
    if most > max(1, LATE * sessions):
        advice = f"set --max-sessions to {max(1, round(2 * sessions))} or so"
        return Finding("capacity", Verdict.SLOW, text, advice)
    return Finding("capacity", Verdict.GOOD, text)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


EXAMINATIONS: Mapping[str, Callable[[Settings], Iterator[Finding]]] = {
    "Python": _python,
    "packages": _packages,
    "models": _models,
    "machine": _machine,
    "data folder": _data,
    "port": _port,
    "Redis": _redis,
    "speed": _speed,
}
"""What is examined, in this order."""
