"""Log lines: fields for people and programs, and never a token."""

import json
import logging

import pytest

from server.logs import JsonLines, TextLines, configure, without_tokens


def record(message: str = "session begins", **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"name": "server.x", "levelno": 20, "levelname": "INFO", "msg": message, **extra}
    )
    made.created = 0.0
    return made


def failure() -> logging.LogRecord:
    error = ValueError("of no use")
    return record(exc_info=(ValueError, error, None))


def test_text_shows_the_message_and_then_its_fields() -> None:
    line = TextLines().format(record(session="1f2e", sessions=3))

    assert line.endswith("INFO server.x: session begins session=1f2e sessions=3")


def test_json_is_one_object_with_the_fields() -> None:
    line = JsonLines().format(record(session="1f2e"))

    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00+00:00",
        "level": "info",
        "logger": "server.x",
        "message": "session begins",
        "session": "1f2e",
    }


def test_tracebacks_are_kept() -> None:
    assert "of no use" in TextLines().format(failure())
    assert "ValueError" in json.loads(JsonLines().format(failure()))["traceback"]


@pytest.mark.parametrize(
    ("line", "safe"),
    [
        ("GET /v1/stream?token=abc-1 HTTP/1.1", "GET /v1/stream?token=*** HTTP/1.1"),
        ("?token=abc&x=1", "?token=***&x=1"),
        ("Authorization: Bearer abc", "Authorization: Bearer ***"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_what_looks_like_a_token_is_blotted_out(line: str, safe: str) -> None:
    assert without_tokens(line) == safe


def test_libraries_that_log_requests_and_events_are_kept_quiet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure("debug", "json")
        logging.getLogger("uvicorn.error").info("GET /?token=abc")
        logging.getLogger("sse_starlette.sse").debug("chunk: diagnosis.mp3")
        logging.getLogger("sse_starlette.sse").warning("slow")
        logging.getLogger("server.sessions").info("session begins", extra={"session": "1"})
    finally:
        root.handlers[:], root.level = handlers, level

    lines = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["slow", "session begins"]
