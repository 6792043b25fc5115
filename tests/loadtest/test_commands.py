"""The commands of `python -m loadtest`, as processes, against scripted engines."""

import asyncio
import json
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from loadtest.cli import _parser
from loadtest.errors import ServerGone, ServerNotStarted
from loadtest.measured_server import Usage, running_server, sampled

pytestmark = pytest.mark.slow

DEADLINE_S = 240.0
"""Several times what the longest takes, on a machine that is busy with something else, too."""


async def run(*arguments: str | Path, **variables: str) -> tuple[int | None, str, str]:
    """Run the command; return exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadtest", *map(str, arguments)),
        stdout=PIPE,
        stderr=PIPE,
        env=os.environ | {"COLUMNS": "100"} | variables,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            out, errors = await process.communicate()
    finally:
        if process.returncode is None:
            # With what it started, which would hold its pipes open.
            os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()
    return process.returncode, out.decode(), errors.decode()


def playing(path: Path) -> str:
    return f"scripted:{path.with_suffix('.words.json')}"


async def test_latency_is_measured_of_several_clients(speech: Path, tmp_path: Path) -> None:
    file, folder = speech / "items" / "ls-3005-163389-0002.flac", tmp_path / "results"

    code, out, errors = await run(
        *("latency", file, "--streams", "3", "--stagger-ms", "200", "--scripted", "--out", folder)
    )

    assert code == 0, errors
    assert "real time kept" in out
    report: dict[str, Any] = json.loads((folder / "latency.json").read_text())
    assert len(report["streams"]) == 3
    assert report["corrected"]["total"] == 0
    assert report["final_s"]["count"] == report["live"]["words"] - report["live"]["total"]
    # The look-ahead and a step of 0.5 s.
    assert 0.5 <= report["final_s"]["median"] <= 2
    assert report["shown_s"]["median"] < report["final_s"]["median"]
    assert report["real_time"]
    assert report["server"]["peak_rss_bytes"] > 1e7
    assert report["server"]["cpu_per_audio_s"] > 0
    assert "token" not in (folder / "latency.json").read_text()
    assert (folder / "latency.png").read_bytes().startswith(b"\x89PNG")


async def test_accuracy_is_measured_after_each_pass_and_drawn(speech: Path, tmp_path: Path) -> None:
    file, folder = speech / "items" / "jfk.flac", tmp_path / "results"

    code, out, errors = await run(
        *("accuracy", file, file, "--no-whole-file", "--live-model", playing(file)),
        *("--out", folder),
        TRAX_CACHE_DIR=str(tmp_path),
    )

    assert code == 0, errors
    for row in ("after the recording pass", "computing saved", "cpWER", "peak RSS"):
        assert row in out
    report = json.loads((folder / "accuracy.json").read_text())
    for recording in report["recordings"]:
        assert recording["later"]["stretch"]["errors"]["total"] == 0
        assert recording["later"]["recording"]["errors"]["total"] == 0
        assert recording["later"]["recording"]["spoken"]["rate"] == 0
        assert recording["speakers"]["corrected"]["words"] == 22
    for name in ("errors.png", "costs.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


async def test_a_server_that_runs_already_is_measured_from_outside(
    speech: Path, tmp_path: Path
) -> None:
    file, folder = speech / "items" / "LJ001-0008.flac", tmp_path / "results"
    async with running_server(("--live-model", playing(file))) as server:
        code, out, errors = await run(
            "latency", file, "--no-diarization", "--url", server.url, "--out", folder
        )

    assert code == 0, errors
    assert "not known" in out
    assert "token" not in (folder / "latency.json").read_text()
    report = json.loads((folder / "latency.json").read_text())
    assert report["server"] is None
    assert report["granted"]["diarization"] is False


@pytest.mark.parametrize("doing", [(), ("--silence",)])
async def test_what_a_session_costs_is_measured(tmp_path: Path, doing: tuple[str, ...]) -> None:
    folder = tmp_path / "results"

    code, out, errors = await run(
        "crowd", "--sessions", "20", "--seconds", "1", "--out", folder, *doing
    )

    assert code == 0, errors
    assert "20 sessions" in out
    report = json.loads((folder / "crowd.json").read_text())
    assert (report["sessions"], report["silence"]) == (20, bool(doing))
    assert 0 < report["cpu_per_second"] < 0.1
    assert report["rss_bytes_each"] < 1e7


async def test_streams_are_counted_until_there_are_no_more_to_try(
    speech: Path, tmp_path: Path
) -> None:
    file, folder = speech / "items" / "LJ001-0008.flac", tmp_path / "results"

    code, out, errors = await run(
        *("streams", file, "--counts", "2,1", "--rounds", "2"),
        *("--diarization", "off", "--out", folder),
        TRAX_LIVE_MODEL=playing(file),
    )

    assert code == 0, errors
    assert "streams with nine of ten words final" in out
    (report,) = json.loads((folder / "streams.json").read_text())["servers"]
    assert [step["streams"] for step in report["steps"]] == [1, 2]
    rounds = [each for step in report["steps"] for each in step["rounds"]]
    assert len(rounds) == 4
    assert all(each["server"]["cpu_per_audio_s"] > 0 for each in rounds)
    assert (folder / "streams.png").read_bytes().startswith(b"\x89PNG")


async def test_errors_and_latency_are_measured_against_the_look_ahead(
    speech: Path, tmp_path: Path
) -> None:
    file, folder = speech / "items" / "LJ001-0008.flac", tmp_path / "results"

    code, out, errors = await run(
        *("lookahead", file, "--lookaheads-ms", "600,0", "--out", folder),
        TRAX_LIVE_MODEL=playing(file),
    )

    assert code == 0, errors
    assert "Against the look-ahead" in out
    reports = json.loads((folder / "lookahead.json").read_text())["lookaheads"]
    assert [report["lookahead_ms"] for report in reports] == [0, 600]
    assert all(report["live"]["total"] == 0 for report in reports)
    assert (folder / "lookahead.png").read_bytes().startswith(b"\x89PNG")


async def test_soak_finds_every_word_of_a_long_session(speech: Path, tmp_path: Path) -> None:
    file, folder = speech / "conversations" / "pub-2spk-clean.flac", tmp_path / "soak"

    code, out, errors = await run(
        "soak", file, "--minutes", "5", "--scripted", "--finals", "utterance", "--out", folder
    )

    assert code == 0, errors
    assert "growth per hour" in out
    report = json.loads((folder / "soak.json").read_text())
    assert report["audio_s"] > 300
    assert report["errors"] == {
        "words": 4 * 227,
        "substitutions": 0,
        "deletions": 0,
        "insertions": 0,
        "total": 0,
        "rate": 0,
    }
    assert report["complete"]
    assert report["finals"] == 4 * 227
    assert report["disordered_finals"] == 0
    assert len(report["memory"]) == 11
    assert (folder / "memory.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("flags", "scripted"), [([], False), (["--real"], False), (["--scripted"], True)]
)
def test_soak_listens_with_the_real_models_unless_told(flags: list[str], *, scripted: bool) -> None:
    assert _parser().parse_args(["soak", *flags]).scripted is scripted


async def test_mistakes_are_one_line(speech: Path, tmp_path: Path) -> None:
    code, _, errors = await run("latency", tmp_path / "gone.flac")
    assert (code, errors.count("\n")) == (1, 1)
    assert errors.startswith("loadtest: a recording expected")

    file = speech / "items" / "LJ001-0008.flac"
    code, _, errors = await run("latency", file, "--url", "http://127.0.0.1:9/?token=x")
    assert code == 1
    assert errors.splitlines()[-1].startswith("loadtest: cannot reach"), errors

    code, _, errors = await run("latency", shutil.copy(file, tmp_path), "--scripted")
    assert code == 1
    assert "LJ001-0008: a .words.json expected beside it" in errors

    code, _, errors = await run("latency", file, "--streams", "0")
    assert code == 2
    assert "a whole number of at least 1 expected, got 0" in errors


async def test_a_folder_that_cannot_be_written_to_is_found_before_anything_is_measured(
    speech: Path, tmp_path: Path
) -> None:
    file, taken = speech / "items" / "jfk.flac", tmp_path / "taken"
    taken.write_text("")

    code, _, errors = await run("latency", file, "--scripted", "--out", taken)

    assert code == 2
    assert "a folder to write to expected" in errors


async def test_a_server_that_ended_cannot_be_looked_at_any_more(tmp_path: Path) -> None:
    (script := tmp_path / "nothing.words.json").write_text("[]")
    used: list[Usage] = []
    async with running_server(("--live-model", f"scripted:{script}")) as server:
        async with sampled(server, used.append):
            server.process.kill()
            await server.process.wait()
        with pytest.raises(ServerGone, match="it ended"):
            server.usage()

    assert len(used) <= 1


async def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(ServerNotStarted, match="--max-sessions"):
        async with running_server(("--max-sessions", "none")):
            pass
