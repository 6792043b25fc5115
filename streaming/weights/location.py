"""From the name in the settings to the files that an engine loads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from streaming.errors import UnknownWeightError
from streaming.weights.catalogue import CATALOGUE
from streaming.weights.verification import Thoroughness, Verdict, examine
from streaming.weights.weight import Weight

# What faster-whisper resolves: a size ("large-v3-turbo"), or "owner/repository".
_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")


@dataclass(frozen=True, slots=True)
class CataloguedModel:
    """A weight of ours, verified.

    Attributes:
        weight: Its entry in the catalogue.
        folder: Absolute; holds the files under the names of the catalogue.
    """

    weight: Weight
    folder: Path


@dataclass(frozen=True, slots=True)
class LocalModel:
    """Files that somebody put on this machine; nothing is known about them."""

    path: Path


@dataclass(frozen=True, slots=True)
class HubModel:
    """A name that only the engine's library can resolve, perhaps by downloading."""

    name: str


Located = CataloguedModel | LocalModel | HubModel


def locate(
    name_or_path: str, cache: Path, *, catalogue: Mapping[str, Weight] = CATALOGUE
) -> Located:
    """Find what a setting means; the catalogue wins over a path, a path over a hub.

    A weight of the catalogue is checked, quickly if it was checked before: under a millisecond
    then, up to half a second the first time.

    Raises:
        MissingWeightError: It is in the catalogue, but was not fetched.
        DamagedWeightError: A file of it is another one.
        UnknownWeightError: It cannot be a hub's name either, such as a path that does not exist.
    """
    weight = catalogue.get(name_or_path)
    if weight is not None:
        verdict = examine(weight, cache, Thoroughness.QUICK)
        verdict.require_present()
        return CataloguedModel(weight, verdict.folder.absolute())
    path = Path(name_or_path).expanduser()
    if name_or_path and path.exists():
        return LocalModel(path.absolute())
    if _HUB_NAME.fullmatch(name_or_path):
        return HubModel(name_or_path)
    raise UnknownWeightError(name_or_path, tuple(catalogue))


def verify(
    names: Iterable[str], cache: Path, *, catalogue: Mapping[str, Weight] = CATALOGUE
) -> tuple[Verdict, ...]:
    """Compute the checksum of every file of these weights, or of all if no name is given.

    A damaged file also loses its stamp, so that the next start refuses it.

    Raises:
        UnknownWeightError: A name is not in the catalogue.
    """
    weights = weights_named(names, catalogue) or tuple(catalogue.values())
    return tuple(examine(weight, cache, Thoroughness.FULL) for weight in weights)


def overview(cache: Path, *, catalogue: Mapping[str, Weight] = CATALOGUE) -> tuple[Verdict, ...]:
    """Return the state of every weight, believing what was verified before."""
    return tuple(examine(weight, cache, Thoroughness.QUICK) for weight in catalogue.values())


def weights_named(names: Iterable[str], catalogue: Mapping[str, Weight]) -> tuple[Weight, ...]:
    """Look names up, each once, in the order given.

    Raises:
        UnknownWeightError: A name is not in the catalogue.
    """
    unique = tuple(dict.fromkeys(names))
    for name in unique:
        if name not in catalogue:
            raise UnknownWeightError(name, tuple(catalogue))
    return tuple(catalogue[name] for name in unique)
