"""What a newcomer does: `trax serve` in one terminal, `trax-client stream` in another."""

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from loadtest.measured_server import MeasuredServer, running_server
from loadtest.normalization import normalize
from loadtest.scoring import align

pytestmark = pytest.mark.models

DEADLINE_S = 120.0
MOST_ERRORS = 0.15


async def stream(server: MeasuredServer, *files: Path) -> list[str]:
    """Run `trax-client stream` at fast pace; return what was final, session by session."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "trax_client", "stream", "--pace", "fast", "--json"),
        *("--language", "en", *map(str, files)),
        stdout=PIPE,
        stderr=PIPE,
        env=os.environ | {"TRAX_URL": server.url},
    )
    async with asyncio.timeout(DEADLINE_S):
        out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    texts = [""]
    for line in out.decode().splitlines():
        event = json.loads(line)
        if event["type"] == "final":
            texts[-1] += "".join(word["text"] for word in event["words"])
        elif event["type"] == "done":
            texts.append("")
    assert texts.pop() == "", "`done` comes last"
    return texts


def assert_says(text: str, truth: Path) -> None:
    """Assert that a text has the words of a recording, the first and the last among them."""
    said = normalize(truth.with_suffix(".txt").read_text(encoding="utf-8"))
    heard = normalize(text)
    assert heard[0] == said[0]
    assert heard[-1] == said[-1]
    assert align(said, heard).errors.rate <= MOST_ERRORS, text


async def test_two_files_are_transcribed_from_the_first_word_to_the_last(speech: Path) -> None:
    files = (speech / "items" / "LJ001-0001.flac", speech / "items" / "jfk.flac")
    async with running_server() as server:
        texts = await stream(server, *files)

    assert texts[0].lstrip().startswith("Printing")
    for text, file in zip(texts, files, strict=True):
        assert_says(text, file)


async def test_two_clients_are_heard_at_once(speech: Path) -> None:
    files = (speech / "items" / "LJ001-0001.flac", speech / "items" / "jfk.flac")
    async with running_server() as server:
        texts = await asyncio.gather(*(stream(server, file) for file in files))

    for (text,), file in zip(texts, files, strict=True):
        assert_says(text, file)


async def test_ctrl_c_tells_clients_to_come_back(speech: Path) -> None:
    audio = (speech / "items" / "jfk.flac").read_bytes()[:32_000]
    async with running_server() as server, asyncio.timeout(DEADLINE_S):
        url = re.sub(r"^http(://[^/]+)/", r"ws\1/v1/stream", server.url)
        async with connect(url, subprotocols=[Subprotocol("trax.v1.json")], proxy=None) as socket:
            await socket.send('{"type": "start"}')
            ready = last = json.loads(await socket.recv())
            await socket.send(audio)  # Any bytes are samples.
            server.process.send_signal(signal.SIGINT)
            code = None
            try:
                while True:
                    last = json.loads(await socket.recv())
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else None
        exit_code = await server.process.wait()

    assert ready["type"] == "ready"
    assert (code, last["type"], last["code"], last["retry"]) == (1012, "error", "restart", True)
    assert exit_code == 0
