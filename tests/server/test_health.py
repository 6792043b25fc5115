"""HTTP: probes, metrics, and paths that are not there."""

import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.server.talking import TOKEN, running, samples, talk, talking


async def test_a_server_is_alive_before_it_is_ready(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), load=False) as server:
        assert (await server.get("/healthz"))[0] == 200
        assert (await server.get("/metrics"))[0] == 200
        status, _, body = await server.get("/readyz")
        assert (status, json.loads(body)["status"]) == (503, "loading")

        await server.app.load()
        status, _, body = await server.get("/readyz")
        assert (status, json.loads(body)["status"]) == (200, "ready")

        await server.app.drain()
        status, _, body = await server.get("/readyz")
        assert (status, json.loads(body)["status"]) == (503, "stopping")


async def test_metrics_show_a_session_and_none_of_its_words(tmp_path: Path) -> None:
    async with running(tmp_path, talk(4)) as server, talking(server) as client:
        ready = await client.start(language="en")
        await client.stream(samples(3.0))
        await client.until("utterance_end")

        _, headers, text = await server.get("/metrics")

    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "trax_sessions 1.0" in text
    assert "trax_final_latency_seconds_count 4.0" in text
    for secret in ("w0", TOKEN, str(ready["token"]), str(ready["session"])):
        assert secret not in text


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/v1/dance", 404, "not_found"), ("/v1/stream", 426, "upgrade_required")],
)
async def test_paths_without_an_endpoint_answer_in_json(
    tmp_path: Path, path: str, status: int, code: str
) -> None:
    async with running(tmp_path, talk(1), load=False) as server:
        answered, headers, body = await server.get(path)

    assert answered == status
    assert headers["content-type"] == "application/json"
    error = json.loads(body)["error"]
    assert error["code"] == code
    assert set(error) == {"code", "message", "expected", "got"}


async def test_a_websocket_elsewhere_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), load=False) as server:
        with pytest.raises(InvalidStatus):
            async with connect(server.url("/v1/dance"), proxy=None):
                pass
