"""The examples that newcomers copy run against a real server with scripted engines."""

import asyncio
import os
import re
import sys
import wave
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.server.talking import DEADLINE_S, TOKEN, running, script

CLIENTS = Path(__file__).parents[2] / "clients"
WORDS = script(
    ("Hello", 0.5, 0.9, "S1"),
    ("there.", 1.0, 1.5, "S1"),
    ("Good", 3.0, 3.3, "S2"),
    ("morning.", 3.4, 3.9, "S2"),
)

pytestmark = pytest.mark.slow


def example(document: str, about: str = "") -> str:
    """Return the first whole program of a document in which this stands."""
    blocks = re.findall(r"```python\n(.*?)```", (CLIENTS / document).read_text(), re.DOTALL)
    return next(str(block) for block in blocks if block.startswith("import") and about in block)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """A file of five seconds; scripted engines do not listen."""
    with wave.open(str(tmp_path / "talk.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(range(250)) * 640)
    return tmp_path / "talk.wav"


async def run(folder: Path, talk: Path, *arguments: str, hears: bool = False) -> str:
    """Run Python with arguments for which `URL` stands for the server's; return its output."""
    serving = running(folder, WORDS, passes=None) if hears else running(folder, WORDS)
    async with serving as server, asyncio.timeout(DEADLINE_S):
        page = f"http://127.0.0.1:{server.port}/?token={TOKEN}"
        stream = f"{server.url()}?token={TOKEN}"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *(argument.replace("URL", stream) for argument in arguments)),
            cwd=talk.parent,
            env=os.environ | {"TRAX_URL": page, "PYTHONWARNINGS": "error"},
            stdout=PIPE,
            stderr=PIPE,
        )
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_readme_of_the_client(tmp_path: Path, talk: Path) -> None:
    out = await run(tmp_path, talk, "-c", example("py/README.md"), str(talk))
    assert "Hello there." in out
    assert "Good morning." in out


async def test_shared_transcript_of_the_readme(tmp_path: Path, talk: Path) -> None:
    out = await run(tmp_path, talk, "-c", example("py/README.md", "open_transcript"))
    assert out.startswith("Zoë: We begin, 👋 all.")
    assert out.count("We begin") == 2


async def test_recordings_of_the_readme(tmp_path: Path, talk: Path) -> None:
    out = await run(
        tmp_path, talk, "-c", example("py/README.md", "library.upload"), str(talk), hears=True
    )
    assert out.startswith("1\n00:00:00,500 --> ")
    assert "Good morning." in out


async def test_specifications_client_without_our_code(tmp_path: Path, talk: Path) -> None:
    out = await run(tmp_path, talk, "-c", example("PROTOCOL.md"), str(talk), "URL")
    lines = out.splitlines()
    assert lines[0].startswith("ready")
    assert lines[-1].startswith("done")
    finals = "".join(line.removeprefix("final ") for line in lines if line.startswith("final"))
    assert finals.split() == ["Hello", "there.", "Good", "morning."]


async def test_command(tmp_path: Path, talk: Path) -> None:
    out = await run(tmp_path, talk, "-m", "trax_client", "stream", str(talk), "--pace", "fast")
    assert "Hello there." in out
    assert "Good morning." in out
