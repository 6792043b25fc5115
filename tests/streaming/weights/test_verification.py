"""Files that are there, missing, damaged, or of an older conversion."""

from __future__ import annotations

import dataclasses
import logging
import os
from pathlib import Path

import pytest

from streaming.errors import DamagedWeightError, MissingWeightError
from streaming.weights import Damaged, Missing, Present, State
from streaming.weights.manifest import MANIFEST_NAME
from streaming.weights.verification import STAMPS_NAME, Thoroughness, examine
from streaming.weights.weight import Converted
from tests.streaming.weights.workshop import (
    CONFIG,
    INSIDE,
    PAIR,
    PART_1,
    PART_2,
    A,
    install_inside,
    pinned,
)

MODEL = pinned("", PART_1 + PART_2)


def _change_keeping_size_and_time(path: Path) -> None:
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("thoroughness", Thoroughness)
def test_what_was_fetched_is_present(fetched: Path, thoroughness: Thoroughness) -> None:
    verdict = examine(PAIR, fetched, thoroughness)

    assert verdict.state is State.PRESENT
    assert verdict.folder == fetched / "pair"
    assert verdict.sha256 == MODEL.sha256
    assert verdict.files[0] == Present(
        fetched / "pair" / "model.bin", MODEL.size_bytes, MODEL.sha256
    )
    assert [file.path.name for file in verdict.files] == ["model.bin", "config.json", "LICENSE"]
    verdict.require_present()


def test_an_empty_cache_misses_every_file_and_stays_empty(cache: Path) -> None:
    verdict = examine(PAIR, cache, Thoroughness.FULL)

    assert verdict.state is State.MISSING
    assert verdict.sha256 == MODEL.sha256  # what it is to be
    assert all(isinstance(file, Missing) for file in verdict.files)
    assert not cache.exists()


def test_the_message_for_a_missing_file_names_it_and_the_command(fetched: Path) -> None:
    (fetched / "pair" / "config.json").unlink()

    verdict = examine(PAIR, fetched, Thoroughness.QUICK)

    with pytest.raises(MissingWeightError) as raised:
        verdict.require_present()
    assert str(raised.value) == (
        f"pair: {fetched}/pair/config.json is missing; run: trax models fetch pair"
    )
    assert raised.value.file == fetched / "pair" / "config.json"
    assert raised.value.weight == "pair"


def test_the_message_for_a_changed_file_names_both_checksums_and_the_command(fetched: Path) -> None:
    file = fetched / "pair" / "config.json"
    file.write_bytes(CONFIG.replace(b"1", b"2"))

    verdict = examine(PAIR, fetched, Thoroughness.QUICK)

    expected = pinned("", CONFIG).sha256
    found = pinned("", file.read_bytes()).sha256
    with pytest.raises(DamagedWeightError) as raised:
        verdict.require_present()
    assert str(raised.value) == (
        f"pair: {file} is damaged: expected SHA-256 {expected}, found SHA-256 {found}; "
        "run: trax models fetch pair"
    )
    assert (raised.value.file, raised.value.mend) == (file, "trax models fetch pair")


def test_a_file_cut_short_is_damaged_without_reading_it(fetched: Path) -> None:
    file = fetched / "pair" / "model.bin"
    os.truncate(file, 7)

    verdict = examine(PAIR, fetched, Thoroughness.QUICK)

    assert verdict.state is State.DAMAGED
    assert verdict.files[0] == Damaged(file, f"{MODEL.size_bytes} bytes", "7 bytes")


def test_a_quick_check_believes_size_and_time_and_a_full_one_does_not(fetched: Path) -> None:
    _change_keeping_size_and_time(fetched / "pair" / "model.bin")

    assert examine(PAIR, fetched, Thoroughness.QUICK).state is State.PRESENT
    assert examine(PAIR, fetched, Thoroughness.FULL).state is State.DAMAGED
    # The full check took the stamp away.
    assert examine(PAIR, fetched, Thoroughness.QUICK).state is State.DAMAGED


def test_a_file_that_was_only_touched_is_read_once_and_stamped_again(fetched: Path) -> None:
    stamps = fetched / "pair" / STAMPS_NAME
    before = stamps.read_bytes()
    os.utime(fetched / "pair" / "model.bin", ns=(1, 1))

    assert examine(PAIR, fetched, Thoroughness.QUICK).state is State.PRESENT
    assert stamps.read_bytes() != before


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"model.bin": 1}', b'{"model.bin": [1]}', b"\xff"]
)
def test_stamps_that_cannot_be_read_are_replaced(
    fetched: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    stamps = fetched / "pair" / STAMPS_NAME
    good = stamps.read_bytes()
    stamps.write_bytes(content)

    assert examine(PAIR, fetched, Thoroughness.QUICK).state is State.PRESENT
    assert stamps.read_bytes() == good
    assert caplog.messages == ["unreadable stamps are ignored"]


def test_a_cache_that_cannot_be_written_to_is_checked_all_the_same(
    fetched: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # A folder in the stamps' place refuses to be replaced, whoever runs the test.
    stamps = fetched / "pair" / STAMPS_NAME
    stamps.unlink()
    caplog.set_level(logging.DEBUG, logger="streaming.weights.verification")
    stamps.with_name(f".{STAMPS_NAME}.{os.getpid()}").mkdir()

    assert examine(PAIR, fetched, Thoroughness.QUICK).state is State.PRESENT
    assert caplog.messages == ["stamps not written"]


def test_a_converted_file_is_compared_with_its_manifest(fetched: Path) -> None:
    verdict = examine(A, fetched, Thoroughness.FULL)

    assert verdict.state is State.PRESENT
    assert [file.path.name for file in verdict.files] == ["a.onnx", "LICENSE"]

    (fetched / "a" / "a.onnx").write_bytes(b"x" * (fetched / "a" / "a.onnx").stat().st_size)
    assert examine(A, fetched, Thoroughness.QUICK).state is State.DAMAGED


def test_without_its_manifest_a_converted_file_is_missing(fetched: Path) -> None:
    manifest = fetched / "a" / MANIFEST_NAME
    manifest.unlink()

    verdict = examine(A, fetched, Thoroughness.QUICK)

    assert verdict.files == (Missing(manifest),)
    assert verdict.sha256 is None


def test_an_unreadable_manifest_is_damage(fetched: Path) -> None:
    (fetched / "a" / MANIFEST_NAME).write_bytes(b"{")

    assert examine(A, fetched, Thoroughness.QUICK).state is State.DAMAGED


def test_a_conversion_by_an_older_recipe_is_refused(fetched: Path) -> None:
    assert isinstance(A.supply, Converted)
    newer = dataclasses.replace(A, supply=dataclasses.replace(A.supply, recipe=2))

    with pytest.raises(DamagedWeightError, match=r"expected a conversion by recipe 2 .*recipe 1"):
        examine(newer, fetched, Thoroughness.QUICK).require_present()


def test_a_part_of_a_package_is_found_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = install_inside(tmp_path)
    (file.parents[1] / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)

    verdict = examine(INSIDE, tmp_path / "cache", Thoroughness.QUICK)

    assert verdict.state is State.PRESENT
    assert verdict.folder == file.parent
    assert not (file.parent / STAMPS_NAME).exists()


def test_a_package_that_is_not_installed_says_how_to_install_it(cache: Path) -> None:
    with pytest.raises(MissingWeightError, match=r"run: pip install .* trax-test-inside==1\.0"):
        examine(INSIDE, cache, Thoroughness.QUICK).require_present()


def test_a_package_of_another_version_is_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_inside(tmp_path, b"something else")
    monkeypatch.syspath_prepend(tmp_path)

    assert examine(INSIDE, tmp_path, Thoroughness.QUICK).state is State.DAMAGED
