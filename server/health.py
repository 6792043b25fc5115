"""HTTP for probes: alive, ready, metrics; and the headers of every answer.

None of it needs the token, and none of it tells anything about what is said.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
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
    """ASGI middleware that adds `SECURITY_HEADERS` to every HTTP response without its own ones."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on everything else unchanged."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [*message["headers"]]
                names = {name for name, _ in own}
                message["headers"] = [*own, *(h for h in SECURITY_HEADERS if h[0] not in names)]
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
