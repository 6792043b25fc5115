"""A whole server on a file system that is full: who is told what, and that nothing is lost."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from server import commits
from tests.server.editing import TRANSCRIPT, Editor, editing, open_transcript, stored_text
from tests.server.small_disk import mounted
from tests.server.talking import Client, resume_of, running, samples, talk, talking

pytestmark = pytest.mark.slow

DISK_BYTES = 8 * 1024 * 1024
MORE_THAN_A_PAGE = 8_000 * "after "


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a server whose data lie on a small file system of memory."""
    with mounted(tmp_path / "data", f"{DISK_BYTES}"):
        yield tmp_path


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Leave no room for a single byte."""
    filler = folder / "data" / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        filler.unlink()


async def refused(client: Client) -> tuple[int, object, object]:
    """Speak on, and return how it ended."""
    await client.stream(samples(0.5), at=24_000)
    code, error = await client.refused()
    return code, error["code"], error["retry"]


async def dismissed(editor: Editor) -> int:
    await editor.until(lambda: editor.code != -1)
    return editor.code


async def test_a_full_file_system_loses_no_edit_no_audio_and_no_word(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "RETRY_S", 0.01)
    async with running(folder, talk(8)) as server:
        open_transcript(server)
        async with (
            talking(server) as client,
            editing(server, TRANSCRIPT) as ada,
            editing(server, TRANSCRIPT) as bob,
        ):
            ready = await client.start(language="en", transcript=TRANSCRIPT)
            await client.stream(samples(1.5))
            await client.until_that(lambda m: m["type"] == "ack" and m["samples"] == 24_000)
            await ada.write(0, "before ")
            await bob.until_says("before")
            with full(folder):
                # A word may have been said in front of it.
                behind = str(ada.text).index("before ") + len("before ")
                ada.text.insert(behind, MORE_THAN_A_PAGE)
                await ada.flush()
                assert (await dismissed(ada), await dismissed(bob)) == (1013, 1013)
                assert await refused(client) == (1011, "internal_error", True)
                assert (await server.get("/healthz"))[0] == 200
            assert "after" not in str(bob.text), "nobody saw what is not kept"

        async with editing(server, TRANSCRIPT, ada), editing(server, TRANSCRIPT, bob):
            await bob.until_says("before ", MORE_THAN_A_PAGE)
            async with talking(server) as again:
                resumed = await again.start(resume=resume_of(ready))
                # All that was acknowledged, and what there was still room for.
                at = resumed["next"]
                assert isinstance(at, int)
                assert 24_000 <= at < 32_000
                await again.stream(samples(5.0)[2 * at :], at=at)
                await again.send("end")
                assert await again.closed() == 1000
            await bob.until_says("w7")
        said = stored_text(server).replace("before", "").replace("after", "").split()
        assert said == [f"w{number}" for number in range(8)]
