"""The command `trax`: what it prints, how it fails, and that it is quick where it can be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.cli import _announce, run
from server.doctor import Verdict, _capacity
from server.options import settings_table
from tests.redis_server import RedisServer
from tests.server.talking import TOKEN, talk

HEAVY = {"numpy", "torch", "onnxruntime", "uvicorn", "starlette", "pydantic", "rich", "asyncio"}


def script_of(folder: Path) -> str:
    (folder / "script.json").write_text(talk(2))
    return f"scripted:{folder / 'script.json'}"


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    probe = (
        "import sys, runpy\n"
        "try: runpy.run_module('server', run_name='__main__')\n"
        "except SystemExit: print('loaded', *sorted({m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, *arguments], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.splitlines()[-1].split()

    assert loaded[0] == "loaded"
    assert not HEAVY & set(loaded)


def test_a_wrong_setting_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--port", "http"], {}) == 2
    assert capsys.readouterr().err == (
        "trax: --port (TRAX_PORT): expected an integer, got 'http'\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["passes", "--json"],
        ["passes"],
        ["version"],
        ["settings"],
        ["models", "list", "--json"],
        ["models", "list"],
        ["jobs", "list", "--json"],
    ],
)
def test_whose_output_nobody_reads_ends_without_a_word(
    arguments: list[str], tmp_path: Path
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env=os.environ | {"TRAX_DATA_DIR": str(tmp_path), "TRAX_CACHE_DIR": str(tmp_path)},
    )
    os.close(writer)

    assert done.stderr == ""
    assert done.returncode in (1, 141)  # 1 is of tables, which rich prints


def test_an_unknown_command_is_refused_by_argparse() -> None:
    with pytest.raises(SystemExit) as caught:
        run(["dance"], {})
    assert caught.value.code == 2


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version"], {}) == 0
    assert capsys.readouterr().out.startswith("trax ")


def test_the_table_of_settings_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["settings"], {}) == 0
    assert capsys.readouterr().out == settings_table() + "\n"


def test_the_readme_shows_the_table_of_settings() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    begin, end = "<!-- settings:begin -->", "<!-- settings:end -->"
    if begin not in readme:
        pytest.skip("the README has no table of settings yet")

    shown = readme.partition(begin)[2].partition(end)[0].strip()

    assert shown == settings_table(), "run `trax settings` and paste what it prints"


def test_models_are_listed_for_people_and_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "list", "--cache-dir", str(tmp_path)], {}) == 0
    text = capsys.readouterr().out
    assert run(["models", "list", "--json"], {"TRAX_CACHE_DIR": str(tmp_path)}) == 0
    rows = json.loads(capsys.readouterr().out)

    for row in rows:
        assert row["name"] in text
        assert row["licence"] in text
    base = next(row for row in rows if row["name"] == "whisper-base")
    assert base["state"] == "missing"
    assert base["problems"][-1] == "run: trax models fetch whisper-base"


def test_verifying_missing_models_fails_and_says_what_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "verify", "whisper-base", "--cache-dir", str(tmp_path)], {}) == 1
    assert "run: trax models fetch whisper-base" in capsys.readouterr().out


def test_a_model_that_is_not_needed_is_not_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["models", "verify", "--json", "--cache-dir", str(tmp_path)], {})

    names = {row["name"] for row in json.loads(capsys.readouterr().out)}
    assert "whisper-base" in names
    assert "whisper-tiny.en" not in names


def test_models_that_tell_speakers_apart_are_not_missed_where_none_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--no-diarization", "--live-model", "scripted:x", "--cache-dir", str(tmp_path)]
    run(["models", "verify", "--json", *flags], {})

    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["silero-vad"]


@pytest.mark.parametrize("action", ["fetch", "verify"])
def test_a_model_that_nobody_knows_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    assert run(["models", action, "whisper-huge", "--cache-dir", str(tmp_path)], {}) == 1
    assert "whisper-huge" in capsys.readouterr().err


def test_variables_that_nobody_reads_are_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["models", "list"], {"TRAX_CACHE_DIR": str(tmp_path), "TRAX_PROT": "1"})
    assert "TRAX_PROT is set, but there is no such setting" in capsys.readouterr().err


@pytest.mark.slow
def test_a_doctor_finds_a_healthy_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.doctor.needed", lambda _settings: ["silero-vad"])
    flags = ["--live-model", script_of(tmp_path), "--data-dir", str(tmp_path / "d"), "--port", "0"]

    assert run(["doctor", *flags], {}) == 0

    text = capsys.readouterr().out
    for name in ("Python", "packages", "model silero-vad", "machine", "data folder", "port"):
        assert name in text
    assert "x real time" in text


@pytest.mark.parametrize(
    ("sessions", "most", "verdict", "advice"),
    [
        (9.6, 8, Verdict.GOOD, ""),
        (3.3, 8, Verdict.GOOD, ""),
        (2.0, 8, Verdict.SLOW, "set --max-sessions to 4 or so"),
        (0.3, 8, Verdict.SLOW, "set --max-sessions to 1 or so"),
        (0.3, 1, Verdict.GOOD, ""),
    ],
)
def test_a_doctor_says_how_many_may_speak(
    sessions: float, most: int, verdict: Verdict, advice: str
) -> None:
    finding = _capacity(sessions, most)

    assert (finding.verdict, finding.advice) == (verdict, advice)
    assert f"{sessions:.1f} people" in finding.detail


def test_a_doctor_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    flags = ["--cache-dir", str(tmp_path), "--data-dir", str(tmp_path / "file"), "--json"]

    assert run(["doctor", *flags], {"TRAX_TOKEN": TOKEN}) == 1

    findings = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert findings["model whisper-base"]["verdict"] == "missing"
    assert findings["model whisper-base"]["advice"] == "run: trax models fetch whisper-base"
    assert findings["data folder"]["verdict"] == "missing"
    assert "speed" not in findings


@pytest.mark.redis
def test_a_doctor_looks_for_redis(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], redis_server: RedisServer
) -> None:
    flags = ["--cache-dir", str(tmp_path), "--data-dir", str(tmp_path / "d"), "--json"]
    found = []
    for url in (redis_server.url, "redis://127.0.0.1:1", "redis://127.0.0.1:port"):
        run(["doctor", *flags, "--redis-url", url], {})
        findings = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
        found.append(findings["Redis"]["verdict"])

    assert found == ["good", "slow", "missing"]


@pytest.mark.parametrize("beside", [True, False])
def test_the_hint_names_a_client_that_is_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    beside: bool,
) -> None:
    client = tmp_path / "trax-client"
    if beside:
        client.touch()
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "trax")])

    _announce("http://127.0.0.1:1/")

    shown = client if beside else "trax-client"
    assert f"Stream a file:  {shown} stream FILE" in capsys.readouterr().out
