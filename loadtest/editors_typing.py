"""What people type, as Yjs updates, marked so that each edit can be found again.

A whole replica for each of fifty editors would measure this process and not the server, and only
`server.transcript` knows pycrdt. What somebody types behind their own last character needs neither:
it is one struct, whose origin is that character. How updates are written is in `server.yjs.structs`
and in https://github.com/yjs/yjs, src/utils/UpdateEncoder.js.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from server.yjs.varints import write_text, write_varuint

_STRING = 4
_HAS_ORIGIN = 0x80
_PARENT_IS_ROOT = 1
_NO_DELETIONS = b"\0"

_MARK = re.compile(rb"<(\d+)\.(\d+)>")


@dataclass(frozen=True, slots=True)
class Mark:
    """One edit: the characters `<EDITOR.NUMBER>`, which nobody else writes."""

    editor: int
    number: int

    def __str__(self) -> str:
        return f"<{self.editor}.{self.number}>"


def find_marks(content: bytes) -> list[Mark]:
    """Return the edits in a text or in an update, in their order."""
    return [Mark(int(found[1]), int(found[2])) for found in _MARK.finditer(content)]


def without_marks(text: str) -> str:
    """Return what others than editors wrote."""
    return _MARK.sub(b"", text.encode()).decode()


def doubled(marks: Collection[Mark]) -> int:
    """Return how many edits of a text are there more than once."""
    return len(marks) - len(set(marks))


def pasted(client_id: int, text: str) -> bytes:
    """Return the update that a Yjs client sends that pastes ASCII into a text as its first edit."""
    update = write_varuint(1) + write_varuint(1) + write_varuint(client_id) + write_varuint(0)
    update += bytes((_STRING, _PARENT_IS_ROOT)) + write_text("text")
    return update + write_text(text) + _NO_DELETIONS


class Typist:
    """A Yjs client that types one mark after another, at one place of the text.

    Attributes:
        typed: All that it typed.
    """

    def __init__(self, editor: int, client_id: int) -> None:
        """Begin to type.

        Args:
            editor: Its number, in its marks.
            client_id: Of Yjs, never used before.
        """
        self._editor = editor
        self._client_id = client_id
        self._clock = 0
        self.typed: list[Mark] = []

    def type(self) -> bytes:
        """Type the next mark; return the update that a Yjs client sends for it."""
        mark = Mark(self._editor, len(self.typed))
        self.typed.append(mark)
        update = write_varuint(1) + write_varuint(1) + write_varuint(self._client_id)
        update += write_varuint(self._clock)
        if self._clock:
            update += bytes((_STRING | _HAS_ORIGIN,))
            update += write_varuint(self._client_id) + write_varuint(self._clock - 1)
        else:
            update += bytes((_STRING, _PARENT_IS_ROOT)) + write_text("text")
        update += write_text(str(mark)) + _NO_DELETIONS
        self._clock += len(str(mark))
        return update
