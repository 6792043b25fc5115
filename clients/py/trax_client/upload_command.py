"""The command `trax-client transcripts upload`: a recording to a server, with its progress."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from trax_client.library import Hearing, Library
from trax_client.records import Job
from trax_client.sources import SourceError, check_file

NEW = "new"


def add_upload(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording, sound or video")
    parser.add_argument(
        "--transcript",
        metavar="ID",
        default=NEW,
        help="where to; default: a new one, its id is shown",
    )
    parser.add_argument("--language", metavar="CODE", help="ISO 639-1; default: as it is heard")
    parser.add_argument("--model", metavar="NAME", help="which recognizer; default: the server's")
    parser.add_argument("--hotwords", metavar="WORDS", default="", help="separated by commas")
    parser.add_argument("--no-diarization", action="store_true", help="do not tell speakers apart")
    parser.add_argument("--wait", action="store_true", help="until the transcript shows it")


async def upload(options: argparse.Namespace) -> None:
    """Send a file; print the id of its transcript."""
    check_file(options.file)
    library = Library(options.url, options.token)
    words = [word.strip() for word in options.hotwords.split(",")]
    hearing = Hearing(
        language=options.language,
        model=options.model,
        hotwords=[word for word in words if word],
        diarization=not options.no_diarization,
    )
    transcript = options.transcript
    made = transcript == NEW
    if made:
        transcript = (await library.create(options.file.stem, options.language)).id
    line = _Line()
    try:
        job = await library.upload(
            transcript,
            options.file,
            hearing=hearing,
            told=lambda sent, size: line.show(f"sending {100 * sent // max(1, size)} %"),
        )
    except BaseException:
        line.clear()
        if made:
            await library.delete(transcript)
        raise
    line.clear()
    sys.stdout.write(f"{transcript}\n")
    sys.stdout.flush()
    if not options.wait:
        return
    async for job in library.watch(transcript, job.id):  # noqa: B020 - as it is further
        line.show(f"{job.state} {job.progress // 10} %")
    line.clear()
    _check(options.file, job)


def _check(file: Path, job: Job) -> None:
    """Say what became of a file.

    Raises:
        SourceError: It was not heard.
    """
    if job.state != "done":
        raise SourceError(f"{file}: {job.error or job.state}")
    if job.damage is not None:
        sys.stderr.write(f"trax-client: {file}: {job.damage}\n")


class _Line:
    """One line on a terminal that is written over; nothing anywhere else."""

    def __init__(self) -> None:
        self._shown = ""

    def show(self, text: str) -> None:
        """Replace what is shown."""
        if sys.stderr.isatty() and text != self._shown:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
            self._shown = text

    def clear(self) -> None:
        """Show nothing."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = ""
