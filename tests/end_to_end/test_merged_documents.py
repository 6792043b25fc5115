"""Documents into which passes were merged while people edited, as real Yjs reads them."""

from __future__ import annotations

import base64
import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from loadtest.fuzz import fuzz
from loadtest.node_scripts import running_script
from server.transcript import Transcript

pytestmark = pytest.mark.slow

READER = Path(__file__).with_name("node") / "reader.js"
SEEDS = 40


def joined(delta: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """Return stretches of text with their attributes; neighbours that share them are one."""
    pairs = [(piece.get("attributes") or {}, piece["insert"]) for piece in delta]
    groups = groupby(pairs, key=lambda pair: pair[0])
    return [(attributes, "".join(text for _, text in group)) for attributes, group in groups]


async def test_yjs_agrees_on_text_attributes_turns_and_suggestions() -> None:
    suggested = 0
    async with running_script(READER) as script:
        for seed in range(SEEDS):
            update = fuzz(seed).update
            document = Transcript(99, [update])

            read = json.loads(await script.ask(base64.b64encode(update).decode()))

            assert not read["pending"], seed
            ours = [
                {"insert": text, "attributes": attributes}
                for text, attributes in document._text.diff()
            ]
            assert joined(read["delta"]) == joined(ours), seed
            assert read["hturns"] == document.chosen_speakers(), seed
            assert {k: v for k, v in read["turns"].items() if v} == document.machine_speakers()
            assert read["sug"].keys() == document.suggestions().keys(), seed
            for name, suggestion in document.suggestions().items():
                assert read["sug"][name] == suggestion.fields(), seed
            suggested += len(read["sug"])
    assert suggested > 0
