"""The shared document over real WebSockets: words arrive, people edit, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.editing import editing
from tests.server.talking import Running, running, samples, talk, talking


async def spoken(server: Running, seconds: float, **start: object) -> str:
    """Speak into a new transcript until the end; return its id."""
    async with talking(server) as client:
        ready = await client.start(language="en", **{"transcript": "new", **start})
        await client.stream(samples(seconds))
        await client.send("end")
        assert await client.closed() == 1000
    return str(ready["transcript"])


@pytest.mark.slow
async def test_what_is_said_stands_in_the_document(tmp_path: Path) -> None:
    async with running(tmp_path, talk(12)) as server:
        transcript = await spoken(server, 9.0)

        async with editing(server, transcript) as editor:
            assert str(editor.text).split() == [f"w{n}" for n in range(12)]
            assert set(editor.map("turns").values()) == {"s1", "s2"}


@pytest.mark.slow
async def test_words_arrive_while_they_are_spoken(tmp_path: Path) -> None:
    async with running(tmp_path, talk(12)) as server, talking(server) as client:
        ready = await client.start(language="en", transcript="new")
        async with editing(server, str(ready["transcript"])) as editor:
            await client.stream(samples(4.0))
            await editor.until_says("w0", "w3")
            editor.text.insert(1, "NOTE ")
            await editor.flush()
            await client.stream(samples(5.0), at=64_000)
            await client.send("end")
            await client.closed()
            await editor.until_says("w11")

            assert "NOTE w0" in str(editor.text)


@pytest.mark.slow
async def test_two_editors_see_each_other(tmp_path: Path) -> None:
    async with running(tmp_path, talk(4)) as server:
        transcript = await spoken(server, 4.0)
        async with editing(server, transcript) as ada, editing(server, transcript) as bob:
            await ada.present(name="Ada")
            await bob.until(lambda: {"name": "Ada"} in bob.others().values())

            ada.text.insert(1, "hello ")
            await ada.flush()
            await bob.until_says("hello w0")

    async with running(tmp_path, talk(4)) as server, editing(server, transcript) as late:
        assert "hello w0 w1" in str(late.text)
