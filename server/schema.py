"""The version of the document's schema, and how documents of earlier versions become ones of it.

The storage knows each document's version: what `meta.schema` says is for clients, and anybody who
edits can write there. A document of an earlier version is brought up to date when its room is
opened, by the steps that it lacks, in one change that is stored before anybody sees the document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from server.errors import UnsupportedSchema

if TYPE_CHECKING:
    from server.transcript import Transcript

SCHEMA = 1
"""What `transcript.py` describes, and this server reads and writes."""

Step = Callable[["Transcript"], object]
"""Makes a document one of the next version, within a transaction; it must not raise."""

STEPS: Mapping[int, Step] = MappingProxyType({})
"""By the version that they begin with. The first one comes with version 2. A step is never changed
once it was released, and does not use what later versions change."""


def steps_from(version: int) -> list[Step]:
    """Return what a document of a version lacks; nothing if it is of ours.

    Raises:
        UnsupportedSchema: It is of a newer version, or of one that we never wrote.
    """
    lacking = range(version, SCHEMA)
    if version > SCHEMA or not STEPS.keys() >= set(lacking):
        raise UnsupportedSchema(expected=SCHEMA, got=version)
    return [STEPS[each] for each in lacking]
