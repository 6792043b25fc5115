"""Links into transcripts: found by their token's fingerprint, until they end."""

import pytest

from server.storage.errors import Conflict, UnknownTranscript
from server.storage.store import Store
from server.storage.values import Link, Role
from tests.server.storage.writing import OTHER, START_MS, TRANSCRIPT, Clock, opened

A, B = "a" * 64, "b" * 64


def test_a_link_is_found_by_its_fingerprint_and_by_its_transcript(store: Store) -> None:
    opened(store)
    editor = store.links.add(TRANSCRIPT, B, Role.EDITOR, label="Ada", expires_ms=START_MS)
    viewer = store.links.add(TRANSCRIPT, A, Role.VIEWER)

    assert editor == Link(B, TRANSCRIPT, Role.EDITOR, "Ada", START_MS + 2000, START_MS, None)
    assert viewer == Link(A, TRANSCRIPT, Role.VIEWER, "", START_MS + 3000, None, None)
    assert store.links.find(B) == editor
    assert store.links.of(TRANSCRIPT) == (editor, viewer)
    assert store.links.find("c" * 64) is None
    assert store.links.of(OTHER) == ()


def test_a_link_ends_when_it_is_revoked_and_only_once(store: Store, clock: Clock) -> None:
    opened(store)
    link = store.links.add(TRANSCRIPT, A, Role.VIEWER)
    assert link.is_valid(clock.ms)

    assert store.links.revoke(TRANSCRIPT, A)
    revoked = store.links.find(A)
    assert store.links.revoke(TRANSCRIPT, A)

    assert revoked is not None
    assert revoked.revoked_ms == link.created_ms + 1000
    assert not revoked.is_valid(clock.ms)
    assert store.links.find(A) == revoked


def test_a_link_of_another_transcript_is_not_revoked(store: Store) -> None:
    opened(store)
    opened(store, OTHER)
    link = store.links.add(TRANSCRIPT, A, Role.VIEWER)

    assert not store.links.revoke(OTHER, A)
    assert not store.links.revoke(TRANSCRIPT, B)

    assert store.links.find(A) == link


def test_a_link_is_valid_until_it_expires() -> None:
    link = Link(A, TRANSCRIPT, Role.VIEWER, "", 0, 1000, None)

    assert link.is_valid(999)
    assert not link.is_valid(1000)


def test_a_token_opens_one_transcript(store: Store) -> None:
    opened(store)
    opened(store, OTHER)
    store.links.add(TRANSCRIPT, A, Role.VIEWER)

    with pytest.raises(Conflict, match="expected a new key"):
        store.links.add(OTHER, A, Role.EDITOR)
    with pytest.raises(UnknownTranscript):
        store.links.add("nothing", B, Role.EDITOR)
