"""Editors of two kinds and a session change one document at random, and lose their connections.

One editor is the Python client, two are Yjs on y-websocket in Node, as browsers run it, and the
words come from a session. In the end all of them, and the storage, show the same.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.living import Plan, measure_living
from loadtest.recordings import conversations, long_talk, read_recording
from loadtest.scripted import write_script

pytestmark = pytest.mark.slow


async def test_all_editors_and_the_session_agree_in_the_end(tmp_path: Path) -> None:
    talk = long_talk([read_recording(path) for path in conversations()], minutes=1)
    write_script(talk, tmp_path / "script.json")
    # No pass after the end of the session: it would change what is being compared.
    (tmp_path / "passes.toml").write_text('[[stage]]\nname = "utterance"\nwhen = "utterance"\n')
    model = f"scripted:{tmp_path / 'script.json'}"
    flags = ("--live-model", model, "--passes", str(tmp_path / "passes.toml"))

    report = await measure_living(talk, flags, Plan(20.0, seed=1, kills=False), lambda _: None)

    assert report.complete, report
    assert report.findings.finals.words > 30
    assert report.findings.finals.touched > 0
    assert report.findings.typed.met > 0, "they met"
    assert min(report.cuts) > 0
    assert min(report.connections) > 2
    assert min(report.edits) > 50
    assert min(report.partials) > 0
