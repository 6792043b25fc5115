"""Decoding in a process of its own, which may fail, starve or be killed without harm to anybody.

    unpack() --starts--> python -m server.unpacking --imports--> server.media
             <---one line of JSON after the other on its standard output---

Everything here blocks and belongs in a thread, or in a worker's process. The process computes only
when nobody else wants to, is the first to go when memory runs out, and ends with whoever started
it. That it is killed or starves says nothing about the file; that it crashes does.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import secrets
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from server.errors import DecoderLost, MediaError, MediaFault
from streaming.core.domain import SAMPLE_RATE, Samples

MEMORY_BYTES = 2 * 1024 * 1024 * 1024
"""Address space of the process; an hour of video took 0.3 GB."""

STALL_S = 60.0
"""After so long without a sign of life the process is given up."""

TELL_S = 0.25
"""How often progress is told."""

NICENESS = 10
_DESCRIPTORS = 64
_LEAST_BYTES = 1024 * 1024
"""What it may write in any case: nothing, but for those who measure what tests cover."""

CRASHES = frozenset(
    {signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGTRAP}
)
"""Signals that a process brings upon itself: the file is one that no decoder of ours takes."""

Report = Mapping[str, int | str | None]


@dataclass(frozen=True, slots=True)
class Examined:
    """What a file says of itself.

    Attributes:
        container: As FFmpeg names the format.
        codec: Of its audio.
        length: Of its audio; `None` where it cannot be known before all of it is decoded.
    """

    container: str
    codec: str
    length: Samples | None


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What became of a file.

    Attributes:
        samples: Length of what was written.
        lost_packets: Packets that could not be decoded; there is silence in their place.
        missing: What the file promises beyond its end.
    """

    samples: Samples
    lost_packets: int
    missing: Samples

    @property
    def damage(self) -> str | None:
        """What a person should know of it, if anything."""
        found: list[str] = []
        if self.missing:
            found.append(f"the file breaks off {self.missing / SAMPLE_RATE:.0f} s before its end")
        if self.lost_packets:
            found.append(f"{self.lost_packets} damaged places were left out")
        return "; ".join(found) or None


def examine(source: Path, limit: Samples) -> Examined:
    """Look whether a file can be decoded, without decoding more than its beginning.

    Raises:
        MediaError: It cannot be, or is longer than `limit`.
        DecoderLost: That is not known: the process was killed, or stood still.
        OSError: The file cannot be read.
    """
    *_, last = _reports(["examine", str(source), str(limit)], STALL_S)
    length = last.get("length")
    return Examined(
        str(last["container"]), str(last["codec"]), None if length is None else Samples(int(length))
    )


def unpack(
    source: Path, target: Path, limit: Samples, progress: Callable[[float | None], None]
) -> Unpacked:
    """Decode a file into 16 kHz mono samples of 16 bits, in one step: all of them or none.

    Args:
        source: Any recording.
        target: Replaced when everything is decoded.
        limit: The longest recording that is taken.
        progress: Told the part that is done, 0 to 1, or `None` while that cannot be known. What it
            raises ends the decoding.

    Raises:
        MediaError: Nothing can be decoded, or it is too long.
        DecoderLost: The process was killed, or stood still.
        OSError: The disk is full, or a file cannot be read or written.
    """
    with _staged(target) as staged:
        last: Report = {}
        for last in _reports(["unpack", str(source), str(staged), str(limit)], STALL_S):
            length = last.get("length")
            progress(None if length is None else min(1.0, int(last["samples"] or 0) / int(length)))
        staged.replace(target)
    samples, lost, missing = (int(last[name] or 0) for name in ("samples", "lost", "missing"))
    return Unpacked(Samples(samples), lost, Samples(missing))


@contextmanager
def _staged(target: Path) -> Iterator[Path]:
    """Make a file beside `target` that is gone afterwards, unless it was renamed.

    Several may try the same at once, so each has one of its own, and holds it: those that nobody
    holds any more were left by who was killed.
    """
    for left in target.parent.glob(f".{target.name}*"):
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()
    staged = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    with staged.open("xb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield staged
        finally:
            staged.unlink(missing_ok=True)


def _reports(arguments: Sequence[str], stall_s: float) -> Iterator[Report]:
    """Run the process and yield what it reports; it is gone afterwards, whatever happens."""
    command = [sys.executable, "-P", "-m", "server.unpacking", *arguments]
    pipe = subprocess.PIPE
    # Its input is never written to: that it ends tells the process that we are gone.
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            done = False
            for line in _lines(process.stdout.fileno(), stall_s):
                report: dict[str, int | str | None] = json.loads(line)
                _raise(report)
                done = bool(report.pop("done"))
                yield report
            if not done:
                raise _lost(process.wait(stall_s))
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            raise DecoderLost(f"one that stood still for {stall_s:g} s") from error
        finally:
            process.kill()


def _lines(descriptor: int, stall_s: float) -> Iterator[bytes]:
    """Yield the lines that come from a pipe until its end.

    Raises:
        TimeoutError: Nothing came for too long.
    """
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while selector.select(stall_s):
            piece = os.read(descriptor, 65_536)
            if not piece:
                return
            *whole, pending = (pending + piece).split(b"\n")
            yield from whole
    raise TimeoutError


def _lost(code: int) -> MediaError | DecoderLost:
    """Return what it means that the process ended without a word."""
    if -code in CRASHES:
        expected, got = "a recording that can be decoded", "one at which the decoder fails"
        return MediaError(MediaFault.UNREADABLE, expected, got)
    if code < 0:
        return DecoderLost(f"one that was killed by {signal.Signals(-code).name}")
    return DecoderLost(f"one with exit code {code}")


def _raise(report: Report) -> None:
    """Raise what the process failed with."""
    fault, number = report.get("fault"), report.get("errno")
    if fault is not None:
        raise MediaError(MediaFault(fault), str(report["expected"]), str(report["got"]))
    if number is not None:
        raise OSError(int(number), os.strerror(int(number)))


# In the process


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says, and report."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        match arguments:
            case ["examine", source, limit]:
                _confine(file_bytes=_LEAST_BYTES)
                _examine(Path(source), Samples(int(limit)))
            case ["unpack", source, target, limit]:
                _confine(file_bytes=_LEAST_BYTES + 2 * int(limit))
                _unpack(Path(source), Path(target), Samples(int(limit)))
            case _:
                return 2
    except MediaError as error:
        _tell(fault=error.fault.value, expected=error.expected, got=error.got)
    except OSError as error:
        _tell(errno=error.errno)
    return 0


def _confine(*, file_bytes: int) -> None:
    """Give up what decoding does not need."""
    os.nice(NICENESS)
    with suppress(OSError):  # Linux only
        Path("/proc/self/oom_score_adj").write_text("1000")
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, _DESCRIPTORS),
    ):
        with suppress(OSError, ValueError):  # macOS knows some of them only by name.
            resource.setrlimit(limit, (value, value))


def _end_with_parent() -> None:
    """Wait until whoever started us is gone."""
    # Not by sys.stdin: Python cannot end while a thread holds its buffer, and aborts.
    os.read(0, 1)
    os._exit(1)


def _examine(source: Path, limit: Samples) -> None:
    from server.media import Media, too_long  # noqa: PLC0415 - confined before it is imported

    with Media(source) as media:
        next(media.pcm(limit))
        length = media.measure(limit, Telling().tell)
        if length is not None and length > limit:
            raise too_long(limit, length)
        _tell(done=1, container=media.about.container, codec=media.about.codec, length=length)


def _unpack(source: Path, target: Path, limit: Samples) -> None:
    from server.media import SAMPLE_BYTES, Media  # noqa: PLC0415 - as above

    with Media(source) as media, target.open("wb") as file:
        samples, length, telling = 0, media.about.length, Telling()
        for piece in media.pcm(limit):
            file.write(piece)
            samples += len(piece) // SAMPLE_BYTES
            telling.tell(samples=samples, length=length)
        file.flush()
        os.fsync(file.fileno())  # The file that it came from is removed then.
        lost, missing = media.damage.packets, media.damage.missing
    _tell(done=1, samples=samples, length=length, lost=lost, missing=missing)


class Telling:
    """Tells that the work goes on, a few times a second; owned by it."""

    def __init__(self) -> None:
        self._told_s = 0.0

    def tell(self, **report: int | None) -> None:
        """Report how far it is, unless that was done a moment ago."""
        if time.monotonic() >= self._told_s + TELL_S:
            self._told_s = time.monotonic()
            _tell(done=0, **report)


def _tell(**report: int | str | None) -> None:
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
