"""Where the server is, and the token that opens it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, quote, urlsplit, urlunsplit

DEFAULT_URL = "http://127.0.0.1:8000"
STREAM_PATH = "/v1/stream"
TRANSCRIPTS_PATH = "/v1/transcripts"

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True, slots=True)
class Address:
    """A stream endpoint.

    Attributes:
        url: `ws://` or `wss://`, without the token: fit to be shown.
        token: The secret, or `None`.
        loopback: Whether it is on this machine, so that no proxy may stand between.
    """

    url: str
    token: str | None
    loopback: bool

    def api(self, path: str) -> str:
        """Return the `http://` or `https://` URL of a path of the HTTP API, such as `/v1/x`."""
        parts = urlsplit(self.url)
        scheme = {"ws": "http", "wss": "https"}[parts.scheme]
        return urlunsplit((scheme, parts.netloc, "", "", "")) + self._prefix + path

    def sync(self, transcript: str) -> Address:
        """Return where the document of a transcript is synchronised."""
        parts = urlsplit(self.url)
        path = f"{self._prefix}{TRANSCRIPTS_PATH}/{quote(transcript, safe='')}/sync"
        url = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
        return Address(url, self.token, self.loopback)

    @property
    def _prefix(self) -> str:
        """What stands before the server's paths, where a proxy put it below one of its own."""
        path = urlsplit(self.url).path
        return path.removesuffix(STREAM_PATH) if path.endswith(STREAM_PATH) else ""


def find_address(url: str | None, token: str | None, environment: Mapping[str, str]) -> Address:
    """Return where to connect to.

    Args:
        url: The page's URL that the server prints (`http://127.0.0.1:8000/?token=...`), or a
            `ws://` one with or without a path; `None`: `TRAX_URL`, else `DEFAULT_URL`.
        token: `None`: the URL's `?token=`, else `TRAX_TOKEN`, else none.
        environment: Where to look for the two variables.

    Raises:
        ValueError: If the URL is none of http, https, ws or wss, or names no host.
    """
    given = url or environment.get("TRAX_URL") or DEFAULT_URL
    parts = urlsplit(given)
    if parts.scheme not in _SCHEMES or not parts.hostname or not _has_good_port(parts):
        # What follows the question mark may be a token.
        raise ValueError(f"a URL like {DEFAULT_URL} expected, got {given.partition('?')[0]!r}")
    in_url = parse_qs(parts.query).get("token", [None])[-1]
    host = parts.netloc.rpartition("@")[2]
    path = STREAM_PATH if parts.path in {"", "/"} else parts.path
    return Address(
        url=urlunsplit((_SCHEMES[parts.scheme], host, path, "", "")),
        token=token or in_url or environment.get("TRAX_TOKEN") or None,
        loopback=_is_loopback(parts.hostname),
    )


def _has_good_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
