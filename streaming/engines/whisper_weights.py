"""Reading a Whisper model as CTranslate2 keeps it: `model.bin`, `config.json` (pure).

The file is a header, then variables one after the other, then other names of some of them
(CTranslate2: python/ctranslate2/specs/model_spec.py, `ModelSpec._serialize`). CTranslate2 writes
such files and reads them in C++, but offers Python no way to look inside.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from streaming.errors import EngineError

FORMAT, SPECIFICATION, REVISION = 6, "WhisperSpec", 3
"""What we know to read: written by all CTranslate2 from 3.0 on."""

GELU = 3
"""CTranslate2's number of the one activation that Whisper has."""

Array = npt.NDArray[np.float32]

_TYPES: Mapping[int, npt.DTypeLike] = {
    0: np.float32,
    1: np.int8,
    2: np.int16,
    3: np.int32,
    4: np.float16,
}


@dataclass(frozen=True, slots=True)
class WhisperWeights:
    """A model's parameters and what else decoding with it needs to know.

    Attributes:
        variables: As CTranslate2 names them, as they lie in the file.
        alignment_heads: Layer and head of the decoder's attention that follows the audio.
        suppressed: Tokens that no text holds.
        suppressed_at_first: Tokens that no text begins with.
    """

    variables: Mapping[str, npt.NDArray[Any]]
    alignment_heads: tuple[tuple[int, int], ...]
    suppressed: tuple[int, ...]
    suppressed_at_first: tuple[int, ...]

    def array(self, name: str, rows: slice | Sequence[int] = slice(None)) -> Array:
        """Return a variable, or rows of it, in float32.

        Raises:
            EngineError: There is none of that name.
        """
        found = self.variable(name)[rows]
        scale = self.variables.get(f"{name}_scale")
        if scale is None:
            return found.astype(np.float32)
        # What was kept in int8 was multiplied row by row, whatever a row is.
        steps = scale[rows].astype(np.float32).reshape(-1, *[1] * (found.ndim - 1))
        return found.astype(np.float32) / steps

    def variable(self, name: str) -> npt.NDArray[Any]:
        """Return a variable as it lies in the file.

        Raises:
            EngineError: There is none of that name.
        """
        try:
            return self.variables[name]
        except KeyError:
            raise EngineError(f"a Whisper model with {name} expected, but it has none") from None

    def only(self, name: str) -> WhisperWeights:
        """Return the same with one variable, in memory of its own: the file may be let go."""
        names = (name, f"{name}_scale")
        copies = {each: self.variables[each].copy() for each in names if each in self}
        return replace(self, variables=copies)

    def __contains__(self, name: str) -> bool:
        """Whether there is a variable of that name."""
        return name in self.variables

    @property
    def width(self) -> int:
        """Numbers that stand for a token, and for a frame of audio."""
        return int(self.variable("decoder/layer_norm/gamma").shape[0])

    @property
    def heads(self) -> int:
        """Heads of each attention."""
        return int(self.variable("decoder/num_heads"))

    @property
    def layers(self) -> int:
        """Layers of the decoder."""
        return self._layers("decoder")

    @property
    def encoder_layers(self) -> int:
        """Layers of the encoder."""
        return self._layers("encoder")

    def _layers(self, network: str) -> int:
        number = 0
        while f"{network}/layer_{number}/ffn/linear_0/weight" in self:
            number += 1
        return number


def read_weights(folder: Path) -> WhisperWeights:
    """Read the model in a folder; takes as much memory as the file, which is mapped.

    Raises:
        EngineError: It is no Whisper model of CTranslate2, or one that is kept in another way.
    """
    path = folder / "model.bin"
    try:
        variables = _read_variables(np.memmap(path, np.uint8, "r"))
        config = json.loads((folder / "config.json").read_bytes())
        heads = tuple((int(layer), int(head)) for layer, head in config["alignment_heads"])
        weights = WhisperWeights(
            variables,
            heads,
            tuple(config["suppress_ids"]),
            tuple(config["suppress_ids_begin"]),
        )
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise EngineError(
            f"a Whisper model of CTranslate2 expected in {folder}: {error}"
        ) from error
    if (activation := int(weights.variable("decoder/activation"))) != GELU:
        raise EngineError(f"activation {GELU} (GELU) expected in {path}, got {activation}")
    return weights


def _read_variables(content: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
    file = _Cursor(content)
    found = (file.number("I"), file.text(), file.number("I"))
    if found != (expected := (FORMAT, SPECIFICATION, REVISION)):
        raise ValueError(f"format {expected} expected, got {found}")
    variables: dict[str, npt.NDArray[Any]] = {}
    for _ in range(file.number("I")):
        name = file.text()
        shape = tuple(file.number("I") for _ in range(file.number("B")))
        dtype = np.dtype(_TYPES[file.number("B")])
        variables[name] = file.piece(file.number("I")).view(dtype).reshape(shape)
    for _ in range(file.number("I")):
        other_name = file.text()
        variables[other_name] = variables[file.text()]
    return variables


class _Cursor:
    """Reads one after the other."""

    def __init__(self, content: npt.NDArray[np.uint8]) -> None:
        self._content = content
        self._at = 0

    def piece(self, size: int) -> npt.NDArray[np.uint8]:
        """Return the next bytes, as they lie in the file."""
        piece = self._content[self._at : self._at + size]
        if len(piece) < size:
            raise ValueError(f"{size} bytes expected at {self._at}, but the file ends")
        self._at += size
        return piece

    def number(self, code: str) -> int:
        """Return the next number; `code` as of `struct`, without its byte order."""
        (number,) = struct.unpack(f"<{code}", self.piece(struct.calcsize(f"<{code}")).tobytes())
        return int(number)

    def text(self) -> str:
        """Return the next text: its length in bytes, itself, a zero."""
        return self.piece(self.number("H")).tobytes()[:-1].decode()
