"""Where to connect, from what people paste."""

import pytest

from trax_client.address import Address, find_address

HERE = "ws://127.0.0.1:8000/v1/stream"


@pytest.mark.parametrize(
    ("url", "token", "environment", "expected"),
    [
        (None, None, {}, Address(HERE, None, loopback=True)),
        ("http://127.0.0.1:8000/?token=abc", None, {}, Address(HERE, "abc", loopback=True)),
        ("http://127.0.0.1:8000", "abc", {}, Address(HERE, "abc", loopback=True)),
        (
            "https://trax.example/?token=a%2Bb",
            None,
            {},
            Address("wss://trax.example/v1/stream", "a+b", loopback=False),
        ),
        (
            "wss://trax.example/behind/v1/stream",
            None,
            {"TRAX_TOKEN": "env"},
            Address("wss://trax.example/behind/v1/stream", "env", loopback=False),
        ),
        (
            None,
            None,
            {"TRAX_URL": "http://[::1]:9/?token=url", "TRAX_TOKEN": "env"},
            Address("ws://[::1]:9/v1/stream", "url", loopback=True),
        ),
        (
            "ws://localhost:1/?token=url",
            "arg",
            {},
            Address("ws://localhost:1/v1/stream", "arg", True),
        ),
        ("ws://u:p@host/", None, {"TRAX_TOKEN": ""}, Address("ws://host/v1/stream", None, False)),
    ],
)
def test_address(
    url: str | None, token: str | None, environment: dict[str, str], expected: Address
) -> None:
    assert find_address(url, token, environment) == expected


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8000", "ftp://host/", "http:///?token=secret", "host", "http://host:99999"]
)
def test_other_urls_are_refused_without_telling_the_token(url: str) -> None:
    with pytest.raises(ValueError, match=r"http://127\.0\.0\.1:8000 expected") as refusal:
        find_address(url, None, {})
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "api", "sync"),
    [
        (
            "http://127.0.0.1:8000/?token=x",
            "http://127.0.0.1:8000/v1/transcripts",
            "ws://127.0.0.1:8000/v1/transcripts/a%2Fb/sync",
        ),
        (
            "wss://host/trax/v1/stream",
            "https://host/trax/v1/transcripts",
            "wss://host/trax/v1/transcripts/a%2Fb/sync",
        ),
        (
            "https://host/page",
            "https://host/v1/transcripts",
            "wss://host/v1/transcripts/a%2Fb/sync",
        ),
    ],
)
def test_transcripts_are_next_to_the_stream(url: str, api: str, sync: str) -> None:
    address = find_address(url, "t", {})
    assert address.api("/v1/transcripts") == api
    assert address.sync("a/b").url == sync
    assert address.sync("a/b").token == "t"
