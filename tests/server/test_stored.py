"""Documents as they are stored, read without writing anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.errors import UnsupportedSchema
from server.schema import SCHEMA
from server.storage.errors import UnknownTranscript
from server.storage.values import Batch
from server.stored import Stored
from server.transcript import make_client_id
from tests.server.editing import TRANSCRIPT, storage


def test_a_document_that_nobody_opened_has_its_title(tmp_path: Path) -> None:
    with storage(tmp_path) as here, here.locked():
        stored = Stored.read(here.store, TRANSCRIPT)

    document, update = stored.replica(make_client_id())
    assert document.meta("title") == "Planning"
    assert update is not None


def test_a_document_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with storage(tmp_path) as here:
        _, update = Stored.read(here.store, TRANSCRIPT).replica(make_client_id())
        assert update is not None
        lease = here.store.documents.lease(TRANSCRIPT)
        here.store.documents.append(lease, Batch(0, (update,), schema=SCHEMA + 1))
        stored = Stored.read(here.store, TRANSCRIPT)

    with pytest.raises(UnsupportedSchema):
        stored.replica(make_client_id())


def test_an_unknown_transcript_is_not_read(tmp_path: Path) -> None:
    with storage(tmp_path) as here, pytest.raises(UnknownTranscript):
        Stored.read(here.store, "unknown")
