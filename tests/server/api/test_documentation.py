"""The examples of docs/http-api.md run, one after the other, against a real server."""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from server.api.routes import OPERATIONS
from server.exports.formats import ExportFormat
from tests.server.api.asking import ask, spoken
from tests.server.talking import DEADLINE_S, TOKEN, running, talk

DOCUMENT = Path(__file__).parents[3] / "docs" / "http-api.md"


@pytest.mark.slow
async def test_every_example_does_what_it_says(tmp_path: Path) -> None:
    examples = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    async with running(tmp_path, talk(4)) as server, asyncio.timeout(DEADLINE_S):
        path = await spoken(server, 4.0)
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", "\n".join(examples)),
            cwd=tmp_path,
            env=os.environ
            | {
                "URL": f"http://127.0.0.1:{server.port}",
                "TOKEN": TOKEN,
                "ID": path.rpartition("/")[2],
                "NO_PROXY": "127.0.0.1",
            },
            stdout=PIPE,
            stderr=STDOUT,
        )
        output, _ = await process.communicate()
        gone = await ask(server, "GET", path)

    assert process.returncode == 0, output.decode()
    assert "w0 w1" in (tmp_path / "talk.srt").read_text()
    assert len((tmp_path / "moment.wav").read_bytes()) == 44 + 2 * 24_000
    assert len((tmp_path / "first-bytes.wav").read_bytes()) == 1024
    assert gone.status == 404


def test_the_tour_names_every_format_and_path() -> None:
    text = DOCUMENT.read_text()

    assert all(f"`{each.value}`" in text for each in ExportFormat)
    for operation in OPERATIONS:
        last = operation.path.replace("{link}", "{id}").split("{transcript}")[-1]
        last = last.replace("{job}", "$JOB") if "retry" not in last else last
        assert last in text, operation.name
