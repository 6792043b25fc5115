"""Whether the files of a weight are there and are the ones that were pinned.

Reading 145 MB at each start to compute a checksum would cost up to half a second. So a file that
was found good is stamped: size and modification time are noted in `.verified.json` beside it, and
while they stay the same, a quick check believes the stamp. A thorough check always reads.
"""

from __future__ import annotations

import importlib.util
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, assert_never

from streaming.errors import DamagedWeightError, MissingWeightError
from streaming.weights.manifest import MANIFEST_NAME, Manifest
from streaming.weights.placement import sha256_of, write_durably
from streaming.weights.weight import Converted, Extracted, Installed, PinnedFile, Weight

logger = logging.getLogger(__name__)

STAMPS_NAME = ".verified.json"


class Thoroughness(Enum):
    """How hard to look."""

    QUICK = "quick"
    """Compute a checksum only if size or modification time changed since the last one."""
    FULL = "full"
    """Compute every checksum."""


class State(Enum):
    """What a whole weight is like, worst first: damaged, else missing, else present."""

    PRESENT = "present"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Present:
    """The file is there and is the right one."""

    path: Path
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Missing:
    """The file is not there."""

    path: Path


@dataclass(frozen=True, slots=True)
class Damaged:
    """Something else is there; both descriptions are a checksum, a size, or words."""

    path: Path
    expected: str
    found: str


FileVerdict = Present | Missing | Damaged


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of one weight.

    Attributes:
        weight: The catalogue's entry: purpose, source, licence, nominal size.
        folder: Where an engine finds the files.
        files: One verdict for each file, the weights themselves first unless their manifest is
            missing or damaged.
    """

    weight: Weight
    folder: Path
    files: tuple[FileVerdict, ...]

    @property
    def state(self) -> State:
        """The worst of the files' states."""
        if any(isinstance(file, Damaged) for file in self.files):
            return State.DAMAGED
        if any(isinstance(file, Missing) for file in self.files):
            return State.MISSING
        return State.PRESENT

    @property
    def sha256(self) -> str | None:
        """The checksum of the weights themselves: as they are here, else as they are to be.

        `None` for what is made when it is fetched, and is not here.
        """
        first = self.files[0]
        return first.sha256 if isinstance(first, Present) else self.weight.sha256

    def require_present(self) -> None:
        """Accept only a whole weight.

        Raises:
            MissingWeightError: A file is not there.
            DamagedWeightError: A file is another one.
        """
        for file in self.files:
            match file:
                case Present():
                    continue
                case Missing(path):
                    raise MissingWeightError(self.weight.name, path, self.weight.mend)
                case Damaged(path, expected, found):
                    raise DamagedWeightError(
                        self.weight.name,
                        path,
                        expected=expected,
                        found=found,
                        mend=self.weight.mend,
                    )
                case _:
                    assert_never(file)


def examine(weight: Weight, cache: Path, thoroughness: Thoroughness) -> Verdict:
    """Look at the files of one weight; changes nothing but the stamps."""
    match weight.supply:
        case Extracted(files=files):
            folder = cache / weight.name
            pinned = (*files, *weight.notices)
        case Converted() as supply:
            folder = cache / weight.name
            manifest = _read_manifest(folder / MANIFEST_NAME, supply)
            if not isinstance(manifest, Manifest):
                return Verdict(weight, folder, (manifest,))
            pinned = (manifest.output, *weight.notices)
        case Installed(files=files) as supply:
            folder = _installed_folder(supply)
            # No stamps: the folder is not ours to write to, and its files are small.
            return Verdict(weight, folder, tuple(_compute(folder / f.name, f) for f in files))
        case _:
            assert_never(weight.supply)
    return Verdict(weight, folder, _examine_stamped(folder, pinned, thoroughness))


def _read_manifest(path: Path, supply: Converted) -> Manifest | Missing | Damaged:
    try:
        manifest = Manifest.from_json(path.read_bytes())
    except FileNotFoundError:
        return Missing(path)
    except ValueError:
        return Damaged(path, expected="the manifest of a conversion", found="something else")
    if manifest.output.name != supply.output or not manifest.is_of(supply):
        return Damaged(
            path,
            expected=f"a conversion by recipe {supply.recipe} of {supply.checkpoint.sha256}",
            found=f"one by recipe {manifest.recipe} of {dict(manifest.sources)}",
        )
    return manifest


def _installed_folder(supply: Installed) -> Path:
    """Find the package without importing it; a relative path that does not exist if it is none."""
    spec = importlib.util.find_spec(supply.module)
    if spec is None or not spec.submodule_search_locations:
        return Path(supply.module) / supply.folder
    return Path(spec.submodule_search_locations[0]) / supply.folder


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A file's checksum, and what the file looked like when it was computed."""

    size_bytes: int
    mtime_ns: int
    sha256: str


def _examine_stamped(
    folder: Path, pinned: Sequence[PinnedFile], thoroughness: Thoroughness
) -> tuple[FileVerdict, ...]:
    """Check files of the cache, and stamp those that are good."""
    known = _read_stamps(folder / STAMPS_NAME)
    trusted = known if thoroughness is Thoroughness.QUICK else {}
    verdicts: list[FileVerdict] = []
    stamps: dict[str, _Stamp] = {}
    for file in pinned:
        path = folder / file.name
        # Taken before the checksum: a file that changes meanwhile must not look unchanged.
        stamp = _stamp(path, file.sha256)
        if stamp is not None and trusted.get(file.name) == stamp:
            verdict: FileVerdict = Present(path, stamp.size_bytes, stamp.sha256)
        else:
            verdict = _compute(path, file)
        if stamp is not None and isinstance(verdict, Present):
            stamps[file.name] = stamp
        verdicts.append(verdict)
    if stamps != known:
        _write_stamps(folder, stamps)
    return tuple(verdicts)


def _compute(path: Path, pinned: PinnedFile) -> FileVerdict:
    try:
        size_bytes = path.stat().st_size
        if size_bytes != pinned.size_bytes:
            return Damaged(path, f"{pinned.size_bytes} bytes", f"{size_bytes} bytes")
        sha256 = sha256_of(path)
    except FileNotFoundError:
        return Missing(path)
    if sha256 != pinned.sha256:
        return Damaged(path, f"SHA-256 {pinned.sha256}", f"SHA-256 {sha256}")
    return Present(path, size_bytes, sha256)


def _stamp(path: Path, sha256: str) -> _Stamp | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return _Stamp(status.st_size, status.st_mtime_ns, sha256)


def _read_stamps(path: Path) -> dict[str, _Stamp]:
    """Return the stamps, or none if they cannot be read: they only save time."""
    try:
        # Any: JSON. Whatever is not as expected ends in the `except` below.
        content: Any = json.loads(path.read_bytes())
        return {
            str(name): _Stamp(int(stamp[0]), int(stamp[1]), str(stamp[2]))
            for name, stamp in content.items()
        }
    except FileNotFoundError:
        return {}
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        logger.warning("unreadable stamps are ignored", extra={"path": str(path)})
        return {}


def _write_stamps(folder: Path, stamps: dict[str, _Stamp]) -> None:
    content = {name: [s.size_bytes, s.mtime_ns, s.sha256] for name, s in stamps.items()}
    try:
        write_durably(folder / STAMPS_NAME, json.dumps(content).encode())
    except OSError as error:
        # A cache baked into an image is read-only, and an absent one has no folder. Both are fine:
        # without stamps the next start computes the checksums again.
        logger.debug("stamps not written", extra={"path": str(folder), "reason": str(error)})
