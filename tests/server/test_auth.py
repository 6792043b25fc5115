"""The token, its file, and the origins of web pages."""

from pathlib import Path

import pytest

from server.auth import Gate, fingerprint, kept_token, make_token
from server.errors import StartError

TOKEN = "0123456789abcdef"
GATE = Gate(TOKEN, ("https://Notes.example/",))


@pytest.mark.parametrize(
    ("headers", "query", "known"),
    [
        ({"authorization": f"Bearer {TOKEN}"}, {}, True),
        ({"authorization": f"bearer  {TOKEN} "}, {}, True),
        ({}, {"token": TOKEN}, True),
        ({"authorization": "Basic abc"}, {"token": TOKEN}, True),
        ({}, {}, False),
        ({}, {"token": ""}, False),
        ({}, {"token": TOKEN + "x"}, False),
        ({}, {"token": "ünïcode"}, False),
        ({"authorization": "Bearer wrong"}, {"token": TOKEN}, False),
        ({"authorization": TOKEN}, {}, False),
    ],
)
def test_the_token_is_taken_from_the_header_or_the_url(
    headers: dict[str, str], query: dict[str, str], *, known: bool
) -> None:
    assert GATE.knows(headers, query) is known


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [
        (None, True),
        ("http://127.0.0.1:8000", True),
        ("https://notes.example", True),
        ("https://evil.example", False),
        ("http://127.0.0.1:8001", False),
        ("null", False),
        ("", False),
    ],
)
def test_web_pages_of_others_are_turned_away(origin: str | None, *, welcome: bool) -> None:
    headers = {"host": "127.0.0.1:8000"}
    if origin is not None:
        headers["origin"] = origin

    assert GATE.welcomes(headers) is welcome


def test_a_request_without_a_host_is_not_from_our_page() -> None:
    assert GATE.welcomes({"origin": "null"}) is False


def test_the_token_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    token = kept_token(tmp_path)

    assert len(token) >= 32
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
    assert kept_token(tmp_path) == token


def test_a_token_file_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"abc\n")
    with pytest.raises(StartError, match="at least 16 characters, got 3"):
        kept_token(tmp_path)

    (tmp_path / "token").write_bytes(b"\xff\xfe")
    with pytest.raises(StartError, match="unreadable"):
        kept_token(tmp_path)


def test_a_folder_that_is_not_there_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot be written"):
        kept_token(tmp_path / "missing")


def test_tokens_differ_and_their_fingerprints_do_not_tell_them() -> None:
    first, second = make_token(), make_token()

    assert first != second
    assert fingerprint(first) == fingerprint(first) != fingerprint(second)
    assert first not in fingerprint(first)
