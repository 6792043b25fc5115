"""Which recognizers a server has."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.server.api.asking import ask
from tests.server.talking import running, talk
from tests.streaming.engines.recordings import weights


async def test_a_server_without_recognizers_lists_none(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), cache_dir=tmp_path / "cache") as server:
        reply = await ask(server, "GET", "/v1/models")

    assert (reply.status, reply.json) == (200, {"models": []})


@pytest.mark.models
async def test_what_is_here_whole_is_listed_with_its_languages(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for name in ("whisper-tiny.en", "whisper-base", "campplus"):
        shutil.copytree(weights(name), cache / name, copy_function=shutil.copy2)
    async with running(tmp_path, talk(1), cache_dir=cache) as server:
        both = await ask(server, "GET", "/v1/models")
        (cache / "whisper-base" / "config.json").unlink()
        one = await ask(server, "GET", "/v1/models")

    base = {"name": "whisper-base", "languages": None}
    tiny = {"name": "whisper-tiny.en", "languages": ["en"]}
    assert both.json == {"models": [base, tiny]}
    assert one.json == {"models": [tiny]}
