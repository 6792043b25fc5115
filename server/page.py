"""The web page: files that `make page` built from `clients/js/page`, and the headers they go with.

The page runs nothing but its own scripts: a strict Content-Security-Policy, with a fresh nonce for
the style elements that the editor makes. File names carry a hash of their content, so browsers keep
them for ever; the page itself is asked for each time. Files were packed once, when they were built.
All addresses in the page are relative, so that it works below any path that a proxy puts before
ours.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

BUILT = Path(__file__).parent / "web"
"""Where `make page` puts what it built."""

NONCE = "TRAX-NONCE"
"""Stands in the built page where the nonce of a response belongs."""

NONCE_BYTES = 16
"""Randomness of a nonce; W3C, Content Security Policy Level 3, section 7.1 asks for 128 bits."""

FOR_EVER = "public, max-age=31536000, immutable"

MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Of the files that are served; `mimetypes` knows what the machine's tables say, which differs."""

_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_NAME = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_.\-]{0,150}")

UNBUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Trax</title>
<style>body{font:1rem/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}
pre{background:#8882;padding:.8rem;overflow:auto}</style>
<h1>Trax</h1>
<p>This server turns speech into words with speakers, while people talk. Its web page has not been
built; that needs Node 20 or newer. In the folder of the source, run</p>
<pre>make page</pre>
<p>and load this page again. All else works without: stream a file from a terminal,</p>
<pre>trax-client stream FILE --token TOKEN</pre>
<p>The token was shown when the server started. Programs connect to <code>v1/stream</code>;
<code>clients/PROTOCOL.md</code> in the source says how, and <a href="openapi.json">openapi.json</a>
describes the rest.</p>
<p>For operators: <a href="healthz">healthz</a>, <a href="readyz">readyz</a>,
<a href="metrics">metrics</a>.</p>
</html>
"""


class Page:
    """Answers with the page and its files. None of it needs the token, or tells anything said."""

    def __init__(self, built: Path = BUILT) -> None:
        """Serve what was built in a folder; it is looked at anew for each request."""
        self._built = built

    async def index(self, request: Request) -> Response:
        """Answer with the page, or with how to build it."""
        try:
            text = (self._built / "index.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            return HTMLResponse(UNBUILT)
        nonce = secrets.token_urlsafe(NONCE_BYTES)
        return HTMLResponse(text.replace(NONCE, nonce), headers=_headers(request, nonce))

    async def asset(self, request: Request) -> Response:
        """Answer with a file that the page is made of.

        Raises:
            HTTPException: There is no such file.
        """
        name = str(request.path_params["name"])
        path = self._built / "assets" / name
        media_type = MEDIA_TYPES.get(path.suffix)
        if media_type is None or not _NAME.fullmatch(name) or not path.is_file():
            raise HTTPException(404)
        headers = {"cache-control": FOR_EVER, "vary": "accept-encoding"}
        packed = path.with_name(f"{name}.gz")
        if "gzip" in request.headers.get("accept-encoding", "") and packed.is_file():
            headers["content-encoding"] = "gzip"
            path = packed
        return FileResponse(path, media_type=media_type, headers=headers)


def _headers(request: Request, nonce: str) -> dict[str, str]:
    return {
        # "no-cache" lets browsers keep it, if they ask each time; the address may hold the token.
        "cache-control": "no-cache",
        "content-security-policy": policy(request.headers.get("host", ""), nonce),
        "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
    }


def policy(host: str, nonce: str) -> str:
    """Return the Content-Security-Policy of the page.

    Args:
        host: Whom the request was for. Browsers for which `'self'` holds no WebSockets (Safari
            before 15.4) are told them by name; what is no host is left out.
        nonce: Of the style elements that the editor makes.
    """
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            f"connect-src 'self'{sockets}",
            "img-src 'self'",
            "font-src 'self'",
            "media-src 'self' blob:",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
