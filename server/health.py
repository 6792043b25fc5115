"""HTTP for people and probes: alive, ready, metrics, and a page that says how to use the server.

None of it needs the token, and none of it tells anything about what is said.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.lifecycle import Lifecycle, Loading, Serving, Stopping
from server.telemetry import Load, Telemetry
from streaming.core.domain import Samples

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SECURITY_HEADERS = (
    # The token may stand in the address of our page: it must reach no other site and no cache.
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Trax</title>
<style>body{font:1rem/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}
pre{background:#8882;padding:.8rem;overflow:auto}</style>
<h1>Trax</h1>
<p>This server turns speech into words with speakers, while people talk. It has no web page for
that yet; stream a file to it from a terminal:</p>
<pre>trax-client stream FILE --token TOKEN</pre>
<p>The token was shown when the server started. Programs connect to <code>/v1/stream</code>;
<code>clients/PROTOCOL.md</code> in the source says how.</p>
<p>For operators: <a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>,
<a href="/metrics">/metrics</a>.</p>
</html>
"""


class Health:
    """The endpoints' answers, from the server's present state."""

    def __init__(self, lifecycle: Lifecycle, telemetry: Telemetry) -> None:
        self._lifecycle = lifecycle
        self._telemetry = telemetry

    async def alive(self, _request: Request) -> Response:
        """Answer that the event loop turns: who gets no answer may restart us."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """Answer whether sessions can be opened: else nobody should be sent here."""
        match self._lifecycle.state:
            case Loading():
                return JSONResponse({"status": "loading"}, status_code=503)
            case Stopping():
                return JSONResponse({"status": "stopping"}, status_code=503)
            case Serving(models=models):
                names = {
                    "recognizer": models.recognizer,
                    "vad": models.vad,
                    "diarizer": models.diarizer,
                }
                return JSONResponse({"status": "ready", "models": names})

    async def metrics(self, _request: Request) -> Response:
        """Answer with all metrics."""
        content = self._telemetry.render(self._load())
        return Response(content, headers={"content-type": METRICS_TYPE})

    async def page(self, _request: Request) -> Response:
        """Answer with the landing page."""
        return HTMLResponse(PAGE)

    def _load(self) -> Load:
        state, connections = self._lifecycle.state, self._lifecycle.connections
        if not isinstance(state, Serving):
            return Load(0, connections, Samples(0), Samples(0), 0)
        running = state.sessions.running
        return Load(
            sessions=len(running),
            connections=connections,
            lag=max((Samples(s.received - s.processed) for s in running), default=Samples(0)),
            step=max((s.step for s in running), default=Samples(0)),
            waiting=state.waiting(),
        )


async def explain(_request: Request, error: Exception) -> Response:
    """Answer a request that has no endpoint, in JSON: programs call these paths."""
    assert isinstance(error, HTTPException)
    status = error.status_code
    refused = {
        "code": _NAMES.get(status, "refused"),
        "message": error.detail,
        "expected": "a path and a method that /openapi.json names",
        "got": "another",
    }
    return JSONResponse({"error": refused}, status_code=status, headers=error.headers)


async def upgrade_required(_request: Request) -> Response:
    """Answer plain HTTP on the path of the WebSocket."""
    refused = {
        "code": "upgrade_required",
        "message": "This path speaks WebSocket",
        "expected": "an upgrade, and the subprotocol trax.v1.msgpack or trax.v1.json",
        "got": "plain HTTP",
    }
    return JSONResponse(
        {"error": refused},
        status_code=426,
        headers={"upgrade": "websocket", "connection": "upgrade"},
    )


_NAMES = {404: "not_found", 405: "method_not_allowed"}


class SecurityHeaders:
    """ASGI middleware that adds `SECURITY_HEADERS` to every HTTP response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on everything else unchanged."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *SECURITY_HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
