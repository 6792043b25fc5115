"""Who may do what in a transcript: owners by the server's token, others by a link."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.access import Access, Role
from server.auth import Gate, fingerprint
from server.errors import Overload
from server.recordings import unix_ms
from server.storage import values
from server.storage.store import Store
from tests.server.editing import TRANSCRIPT
from tests.server.talking import TOKEN, running, talk

LINK = "a-token-of-a-link"


@pytest.fixture
async def access(tmp_path: Path) -> AsyncIterator[tuple[Access, Store]]:
    """What decides in a running server, and its storage with two transcripts."""
    async with running(tmp_path, talk(1)) as server:
        lifecycle = server.app._lifecycle
        store = lifecycle.serving().store
        for transcript in (TRANSCRIPT, "other"):
            store.library.create(transcript, started_ms=0)
        yield Access(Gate(TOKEN, ()), lifecycle, server.app._threads), store


async def role_of(
    access: Access, transcript: str, headers: dict[str, str], query: dict[str, str]
) -> Role | None:
    grant = await access.grant(transcript, headers, query)
    return None if grant is None else grant.role


@pytest.mark.parametrize("transcript", [TRANSCRIPT, "other", "one that there is not"])
async def test_the_owner_may_do_everything(access: tuple[Access, Store], transcript: str) -> None:
    decides, _ = access

    assert await role_of(decides, transcript, {}, {"token": TOKEN}) is Role.OWNER


def test_only_viewers_do_not_write() -> None:
    assert [role for role in Role if not role.writes] == [Role.VIEWER]


@pytest.mark.parametrize(
    ("given", "role"),
    [(values.Role.EDITOR, Role.EDITOR), (values.Role.VIEWER, Role.VIEWER)],
)
async def test_a_link_lets_into_its_transcript_only(
    access: tuple[Access, Store], given: values.Role, role: Role
) -> None:
    decides, store = access
    store.links.add(TRANSCRIPT, fingerprint(LINK), given)
    header = {"authorization": f"Bearer {LINK}"}

    assert await role_of(decides, TRANSCRIPT, header, {}) is role
    assert await role_of(decides, "other", header, {}) is None


async def test_links_that_ended_let_nobody_in(access: tuple[Access, Store]) -> None:
    decides, store = access
    late = unix_ms() - 1
    store.links.add(TRANSCRIPT, fingerprint("late"), values.Role.EDITOR, expires_ms=late)
    store.links.add(TRANSCRIPT, fingerprint("revoked"), values.Role.EDITOR)
    assert store.links.revoke(TRANSCRIPT, fingerprint("revoked"))

    for token in ("late", "revoked", "unknown", ""):
        assert await role_of(decides, TRANSCRIPT, {}, {"token": token}) is None


async def test_links_cannot_be_looked_up_before_the_server_serves(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), load=False) as server:
        decides = Access(Gate(TOKEN, ()), server.app._lifecycle, server.app._threads)

        with pytest.raises(Overload):
            await role_of(decides, TRANSCRIPT, {}, {"token": LINK})
