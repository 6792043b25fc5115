"""Who may connect: the server's token, and the origins of web pages."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from server.errors import StartError
from server.settings import SMALLEST_TOKEN

TOKEN_BYTES = 24
"""Randomness of a token that we make: 192 bits, 32 characters."""


class Gate:
    """Decides who may open a connection; immutable."""

    def __init__(self, token: str, allowed_origins: tuple[str, ...] = ()) -> None:
        self._token = token
        self._allowed_origins = frozenset(origin.rstrip("/").lower() for origin in allowed_origins)

    def knows(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Return whether a request carries the token, in `Authorization` or in the URL.

        Takes the same time whatever the token presented. If both are there, the header counts.
        """
        return same(presented(headers, query), self._token)

    def welcomes(self, headers: Mapping[str, str]) -> bool:
        """Return whether the page that a browser's script comes from may use this server.

        A browser lets any page open a WebSocket to any server and says only where the page came
        from (RFC 6455, 10.2). Clients that are no browsers send no `Origin`, and are let in.
        """
        origin = headers.get("origin")
        if origin is None:
            return True
        page = urlsplit(origin).netloc.lower()
        ours = page != "" and page == headers.get("host", "").lower()
        return ours or origin.rstrip("/").lower() in self._allowed_origins


def presented(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """Return the token that a request carries; empty if there is none."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    return query.get("token", "")


def same(token: str, secret: str) -> bool:
    """Compare a secret in constant time."""
    return hmac.compare_digest(token.encode(), secret.encode())


def make_token() -> str:
    """Return a new token, of visible ASCII characters that need no quoting in a URL."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def fingerprint(token: str) -> str:
    """Return what can be stored instead of a token that we made, which is too long to guess."""
    return sha256(token.encode()).hexdigest()


def kept_token(data_dir: Path) -> str:
    """Return the token of this data folder, making it at the first start.

    The file can be read by its owner only. Clients therefore keep their access over restarts.

    Raises:
        StartError: The file cannot be written, or holds something else.
    """
    path = data_dir / "token"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_token(path)
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}") from error
    token = make_token()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
    return token


def _read_token(path: Path) -> str:
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{path}: expected a token, got an unreadable file") from error
    if len(token) < SMALLEST_TOKEN:
        raise StartError(
            f"{path}: expected at least {SMALLEST_TOKEN} characters, got {len(token)}; "
            "remove the file to have a new one made"
        )
    return token
