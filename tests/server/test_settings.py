"""Settings from flags and environment: what is taken, what is refused, and how it is said."""

import argparse
from pathlib import Path

import pytest

from server.defaults import usable_cores
from server.errors import SettingsError
from server.options import (
    add_flags,
    default_text,
    read_settings,
    settings_table,
    unknown_variables,
)
from server.setting import flag, variable
from server.settings import Settings, about_settings

ROOT = Path(__file__).parents[2]


def problems(flags: dict[str, object], environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        read_settings(flags, environment)
    return str(caught.value)


def test_nothing_given_means_the_defaults() -> None:
    assert read_settings({}, {}) == Settings()


def test_variables_and_flags_are_read() -> None:
    environment = {
        "TRAX_PORT": "9000",
        "TRAX_DATA_DIR": "~/talks",
        "TRAX_DIARIZATION": "off",
        "TRAX_ALLOWED_ORIGINS": "https://a.example, https://b.example",
        "OTHER": "ignored",
    }

    settings = read_settings({"max_sessions": "7", "command": "serve"}, environment)

    assert settings.port == 9000
    assert settings.data_dir == Path.home() / "talks"
    assert settings.diarization is False
    assert settings.allowed_origins == ("https://a.example", "https://b.example")
    assert settings.max_sessions == 7


def test_a_flag_wins_over_a_variable() -> None:
    assert read_settings({"port": "1"}, {"TRAX_PORT": "2"}).port == 1


def test_an_empty_variable_counts_as_unset() -> None:
    assert read_settings({}, {"TRAX_PORT": "", "TRAX_TOKEN": ""}) == Settings()


@pytest.mark.parametrize("text", ["1", "true", "YES", "on"])
def test_switches_understand_what_people_write(text: str) -> None:
    assert read_settings({}, {"TRAX_DIARIZATION": text}).diarization is True


def test_a_wrong_value_is_named_with_flag_variable_expectation_and_what_came() -> None:
    assert problems({"port": "http"}, {}) == ("--port (TRAX_PORT): expected an integer, got 'http'")
    assert "expected 1 or true" in problems({}, {"TRAX_DIARIZATION": "maybe"})


def test_all_problems_are_named_at_once() -> None:
    text = problems({}, {"TRAX_PORT": "70000", "TRAX_SESSION_MS": "1", "TRAX_DEVICE": "tpu"})

    assert text.splitlines() == [
        "--port (TRAX_PORT): expected 0..65535, got 70000",
        "--device (TRAX_DEVICE): expected auto, cpu, cuda, got tpu",
        "--session-ms (TRAX_SESSION_MS): expected 1000..604800000 ms, got 1",
    ]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "trax.example"])  # noqa: S104
def test_listening_for_others_needs_a_token(host: str) -> None:
    assert "--token" in problems({"host": host}, {})
    assert not Settings(host=host, token="0123456789abcdef").loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_listening_for_this_machine_does_not(host: str) -> None:
    assert read_settings({"host": host}, {}).loopback


@pytest.mark.parametrize("token", ["short", "has a space in it", "grüße" * 5])
def test_a_token_that_could_be_guessed_or_misread_is_refused_and_not_repeated(token: str) -> None:
    assert token not in problems({"token": token}, {})


def test_jobs_need_somebody_who_does_them() -> None:
    assert "--workers" in problems({"workers": "0"}, {})
    assert "--redis-url" in problems({"redis_url": "postgresql://trax@localhost"}, {})
    assert read_settings({"workers": "0"}, {"TRAX_REDIS_URL": "redis://localhost"}).workers == 0


def test_every_flag_is_understood_and_leaves_no_trace_when_absent() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser)

    assert vars(parser.parse_args([])) == {}
    given = vars(parser.parse_args(["--no-diarization", "--host", "::1", "--data-dir=x"]))
    assert read_settings(given, {}) == Settings(host="::1", data_dir=Path("x"), diarization=False)
    assert "--max-sessions" in parser.format_help()


def test_variables_that_nobody_reads_are_found() -> None:
    assert unknown_variables({"TRAX_PROT": "1", "TRAX_PORT": "1", "TRAX_URL": "x", "A": ""}) == [
        "TRAX_PROT"
    ]


def test_limits_of_every_number_are_checked() -> None:
    for name, about in about_settings().items():
        if about.low is not None and about.high is not None:
            for value in (about.low - 1, about.high + 1):
                assert flag(name) in problems({name: str(value)}, {})
            assert read_settings({name: str(about.high)}, {}) is not None


def test_the_table_has_a_row_for_each_setting() -> None:
    table = settings_table()

    assert len(table.splitlines()) == 2 + len(about_settings())
    for name in about_settings():
        assert f"`{flag(name)}`" in table
        assert f"`{variable(name)}`" in table
        assert default_text(name) in table


def test_defaults_that_depend_on_the_machine_are_described() -> None:
    assert Settings().max_sessions == 4 * usable_cores()
    assert default_text("max_sessions") == "four a core"


def test_data_follows_the_xdg_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    assert Settings().data_dir == tmp_path / "data" / "trax"
    assert Settings().cache_dir == tmp_path / "cache" / "trax"
