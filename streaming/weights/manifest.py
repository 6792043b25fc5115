"""The note beside a converted file: what it was made from, by what, and its checksum.

The same checkpoint becomes slightly different bytes with another torch or onnx, so the checksum of
the outcome cannot stand in the catalogue. The manifest guards against damage and against files of
an older recipe. It is no protection from somebody who may write to the cache: who can change the
file can change its manifest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from streaming.weights.weight import Converted, PinnedFile

MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a conversion went.

    Attributes:
        max_difference: The largest absolute difference from the original network's output that
            the check found.
        bound: The largest that would have been accepted.
        versions: Name and version of each library that had a part in it.
    """

    max_difference: float
    bound: float
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known about a converted file.

    Attributes:
        output: The file, with the checksum it had when it was made; without members.
        recipe: `Converted.recipe` of then.
        sources: Name and checksum of checkpoint and definition.
        conversion: How it went.
    """

    output: PinnedFile
    recipe: int
    sources: tuple[tuple[str, str], ...]
    conversion: Conversion

    def to_json(self) -> bytes:
        """Encode for `MANIFEST_NAME`."""
        content = {
            "output": {
                "name": self.output.name,
                "size_bytes": self.output.size_bytes,
                "sha256": self.output.sha256,
            },
            "recipe": self.recipe,
            "sources": dict(self.sources),
            "conversion": {
                "max_difference": self.conversion.max_difference,
                "bound": self.conversion.bound,
                "versions": dict(self.conversion.versions),
            },
        }
        return json.dumps(content, indent=2).encode() + b"\n"

    @classmethod
    def from_json(cls, encoded: bytes) -> Manifest:
        """Decode what `to_json` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            # Any: JSON. Whatever is not as expected ends in the `except` below.
            content: Any = json.loads(encoded)
            output, conversion = content["output"], content["conversion"]
            return cls(
                output=PinnedFile(
                    str(output["name"]), int(output["size_bytes"]), str(output["sha256"]), ()
                ),
                recipe=int(content["recipe"]),
                sources=_pairs(content["sources"]),
                conversion=Conversion(
                    max_difference=float(conversion["max_difference"]),
                    bound=float(conversion["bound"]),
                    versions=_pairs(conversion["versions"]),
                ),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a manifest: {error!r}") from error

    def is_of(self, supply: Converted) -> bool:
        """Whether the catalogue still asks for this conversion of these sources."""
        return (self.recipe, self.sources) == (supply.recipe, sources_of(supply))


def sources_of(supply: Converted) -> tuple[tuple[str, str], ...]:
    """Return name and checksum of what a conversion starts from."""
    return tuple((file.name, file.sha256) for file in (supply.checkpoint, supply.definition))


def _pairs(mapping: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - JSON
    return tuple((str(key), str(value)) for key, value in mapping.items())
