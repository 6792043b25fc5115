"""`trax transcribe`: files in, documents out, without a server.

What is wrong with one file is said, and the next one is taken. Results go to files beside the
recordings, or where `--output` says. What is there already is left as it is, so that the same
command goes on where it was broken off. Progress is shown on a terminal only.
"""

from __future__ import annotations

import errno
import logging
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from offline.errors import LanguageError, NoStage
from offline.jobs import JobKind
from server.errors import DecoderLost, MediaError, StartError
from server.exports.formats import ExportFormat, export
from server.passes import accurate_pass, passes_of
from server.settings import Settings
from server.storage.uploads import Wishes
from server.transcribing import Transcribed, naming, transcribe
from server.upload_files import longest_upload
from streaming.core.domain import SAMPLE_RATE
from streaming.errors import StreamingError

DONE, FAILED = 0, 1
STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be transcribed, and how.

    Attributes:
        files: The recordings.
        formats: Of the results, one for each.
        output: A folder, `-` for standard output, `None`: beside each recording.
        force: Whether results replace files that are there.
        wishes: How they are heard.
    """

    files: tuple[Path, ...]
    formats: tuple[ExportFormat, ...]
    output: str | None
    force: bool
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class Result:
    """What is to become of a file: `target` is `None` for standard output."""

    format: ExportFormat
    target: Path | None


def run(order: Order, settings: Settings) -> int:
    """Transcribe some files; return the exit code: 1 if one of them failed.

    Raises:
        StartError: Nothing can be transcribed: a model is missing, say, or two results would have
            the same name.
    """
    # Nothing here is a server: what a person has to know is said in words.
    logging.getLogger().addHandler(logging.NullHandler())
    results = _results(order)
    _check_passes(settings)
    accurate, limit = accurate_pass(settings), longest_upload(settings.upload_hours)
    console = Console(stderr=True)
    failed = 0
    with _telling_how_to_go_on(console), _bar(console, len(order.files)) as begin:
        for path, all_results in zip(order.files, results, strict=True):
            wanted = all_results if order.force else _missing(console, path, all_results)
            if not wanted:
                continue
            try:
                for result in wanted:
                    _check(path, result.target)
                done = transcribe(path, accurate, order.wishes, limit, begin(path.name))
                for result in wanted:
                    _write(done, result)
            except BrokenPipeError:
                raise  # whoever reads standard output has left: nobody wants the next file
            except (MediaError, DecoderLost, OSError) as error:
                failed += 1
                _say(console, f"{path}: {_sentence(error)}")
            except (StreamingError, LanguageError) as error:
                # The next file would fare no better.
                raise StartError(str(error)) from error
            else:
                _tell(console, path, wanted, done)
    return FAILED if failed else DONE


def _check_passes(settings: Settings) -> None:
    try:
        passes_of(settings).hearing(JobKind.UPLOAD)
    except NoStage as error:
        raise StartError(f"--passes (TRAX_PASSES): {settings.passes}: {error}") from error


def _results(order: Order) -> list[list[Result]]:
    """Return what each file is to become."""
    if order.output == STDOUT:
        if len(order.formats) > 1:
            raise StartError("--output -: one --format expected, got several")
        if ExportFormat.DOCX in order.formats and (len(order.files) > 1 or sys.stdout.isatty()):
            raise StartError("--format docx: a file or a folder as --output expected, got -")
        return [[Result(each, None) for each in order.formats]] * len(order.files)
    folder = None if order.output is None else Path(order.output)
    if folder is not None and folder.exists() and not folder.is_dir():
        raise StartError(f"--output: a folder or - expected, got the file {folder}")
    results = [
        [
            Result(each, (folder or path.parent) / f"{path.stem}{each.suffix}")
            for each in order.formats
        ]
        for path in order.files
    ]
    targets = Counter(
        each.target.parent.resolve() / each.target.name
        for wanted in results
        for each in wanted
        if each.target is not None
    )
    twice = next((each for each, recordings in targets.items() if recordings > 1), None)
    if twice is not None:
        raise StartError(f"{twice}: one recording of that name expected, got several")
    return results


def _missing(console: Console, path: Path, results: Sequence[Result]) -> list[Result]:
    """Return the results that are not there yet, and say which are."""
    missing: list[Result] = []
    for each in results:
        if each.target is None or each.target == path or not each.target.exists():
            missing.append(each)
        else:
            _say(console, f"{path}: {each.target} is there already; --force makes it anew")
    return missing


def _check(path: Path, target: Path | None) -> None:
    """Refuse before anything is heard what could not be written afterwards."""
    if path.is_dir():
        raise IsADirectoryError(21, "a recording expected, got a folder")
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "a file expected, got a pipe or a device")
    if target is None:
        return
    if target == path:
        raise FileExistsError(17, "a recording expected, got what the result would be called")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(error.errno, f"{target.parent}: {error.strerror}") from error


def _write(done: Transcribed, result: Result) -> None:
    content, target = export(done.transcript, result.format), result.target
    with naming(Path("standard output") if target is None else target.parent):
        _write_content(content, target)


def _write_content(content: bytes, target: Path | None) -> None:
    if target is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    staged = target.with_name(f".{target.name}.part")
    try:
        staged.write_bytes(content)
        staged.replace(target)
    finally:
        staged.unlink(missing_ok=True)


def _tell(console: Console, path: Path, results: Sequence[Result], done: Transcribed) -> None:
    """Say what became of a file: on a terminal always, elsewhere only what was lost."""
    damage = done.unpacked.damage
    if damage is not None:
        _say(console, f"{path}: {damage}")
    if console.is_terminal:
        length = round(done.unpacked.samples / SAMPLE_RATE)
        clock = f"{length // 3600}:{length // 60 % 60:02}:{length % 60:02}"
        where = ", ".join(str(each.target) for each in results if each.target is not None)
        _say(console, f"{path}{where and f' -> {where}'} ({clock})")


def _say(console: Console, line: str) -> None:
    console.print(f"trax: {line}", markup=False, highlight=False, soft_wrap=True)


def _sentence(error: MediaError | DecoderLost | OSError) -> str:
    match error:
        case OSError(strerror=str(reason)):
            return reason
        case _:
            return str(error)


@contextmanager
def _telling_how_to_go_on(console: Console) -> Iterator[None]:
    """Let SIGTERM end the work as Ctrl-C does, in order; say of both what was not in vain."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)  # as shells have it

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        _say(console, "stopped; the same command goes on from here")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


Begin = Callable[[str], Callable[[float], None]]
"""Begins a file of that name, and returns what is to be told its progress."""


@contextmanager
def _bar(console: Console, files: int) -> Iterator[Begin]:
    """Show how far the files are, and how long the rest will take, on a terminal."""
    columns: Sequence[TextColumn | BarColumn | TaskProgressColumn | TimeRemainingColumn] = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        begun = 0

        def begin(name: str) -> Callable[[float], None]:
            nonlocal begun
            begun += 1
            for task in bar.task_ids:
                bar.remove_task(task)
            number = f"{begun}/{files} " if files > 1 else ""
            task = bar.add_task(f"{number}{name}", total=1.0)
            return lambda part: bar.update(task, completed=part)

        yield begin
