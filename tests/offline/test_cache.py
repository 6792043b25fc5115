"""Tests of `offline.cache`."""

from __future__ import annotations

import multiprocessing
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from offline.cache import ResultCache, key_of

MUCH = 1_000_000
AN_HOUR_AND_MORE_S = 4_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results"


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*/*"))


def used_at(folder: Path, key: str, second: int) -> None:
    os.utime(folder / key[:2] / key[2:], (second, second))


def test_what_was_kept_is_there_for_others_too(folder: Path) -> None:
    key = key_of("a")
    ResultCache(folder, MUCH).keep(key, b"result")

    assert ResultCache(folder, MUCH).get(key) == b"result"
    assert ResultCache(folder, MUCH).get(key_of("b")) is None


def test_keys_differ_where_anything_differs() -> None:
    keys = {
        key_of(),
        key_of(""),
        key_of("a", "b"),
        key_of("ab"),
        key_of("b", "a"),
        key_of(b"ab"),
        key_of(1),
        key_of(1.0),
        key_of("1"),
        key_of(None),
        key_of(True),
    }

    assert len(keys) == 11
    assert key_of("a", 1, None) == key_of("a", 1, None)


def test_an_empty_result_is_a_result(folder: Path) -> None:
    cache = ResultCache(folder, MUCH)
    cache.keep(key_of("a"), b"")

    assert cache.get(key_of("a")) == b""


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: entry[:0],
        lambda entry: entry[:-1],
        lambda entry: entry[:-1] + b"x",
        lambda entry: b"something else" + entry,
    ],
)
def test_a_damaged_entry_is_removed(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    cache = ResultCache(folder, MUCH)
    cache.keep(key_of("a"), b"result")
    (path,) = entries(folder)
    path.write_bytes(damage(path.read_bytes()))

    assert cache.get(key_of("a")) is None
    assert entries(folder) == []


def test_what_was_used_least_recently_is_forgotten_when_there_is_too_much(folder: Path) -> None:
    cache = ResultCache(folder, 5_000)
    keys = [key_of(n) for n in range(5)]
    for second, key in enumerate(keys[:4]):
        cache.keep(key, bytes(1_000))
        used_at(folder, key, second)
    assert cache.get(keys[0]) is not None

    cache.keep(keys[4], bytes(1_000))

    assert [cache.get(key) is None for key in keys] == [False, True, False, False, False]


def test_what_other_processes_kept_counts_as_well(folder: Path) -> None:
    for number in range(4):
        ResultCache(folder, MUCH).keep(key_of(number), bytes(1_000))

    ResultCache(folder, 3_500).keep(key_of("new"), b"")

    assert sum(path.stat().st_size for path in entries(folder)) <= 3_500


def test_what_is_too_large_or_must_not_be_kept_is_not(folder: Path) -> None:
    ResultCache(folder, 0).keep(key_of("a"), b"")
    ResultCache(folder, 1_000).keep(key_of("b"), bytes(1_000))

    assert entries(folder) == []


def test_what_a_process_left_unfinished_is_removed_after_a_while(folder: Path) -> None:
    (folder / "ab").mkdir(parents=True)
    (old := folder / "ab" / ".unfinished-1").write_bytes(bytes(10))
    (young := folder / "ab" / ".unfinished-2").write_bytes(bytes(10))
    seconds = young.stat().st_mtime - AN_HOUR_AND_MORE_S
    os.utime(old, (seconds, seconds))

    ResultCache(folder, MUCH).keep(key_of("a"), b"result")

    assert (old.exists(), young.exists()) == (False, True)


def test_a_folder_that_cannot_be_written_to_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "results").write_bytes(b"a file where the folder should be")
    cache = ResultCache(tmp_path / "results", MUCH)

    cache.keep(key_of("a"), b"result")

    assert cache.get(key_of("a")) is None


def keep_where_files_cannot_grow(folder: Path) -> None:
    """Stop in the middle of writing, as when a disk is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
    ResultCache(folder, MUCH).keep(key_of("a"), bytes(5_000))


@pytest.mark.slow
def test_an_entry_that_does_not_fit_on_the_disk_leaves_nothing(folder: Path) -> None:
    other = multiprocessing.get_context("spawn").Process(
        target=keep_where_files_cannot_grow, args=(folder,)
    )
    other.start()
    other.join(60)

    assert other.exitcode == 0
    assert entries(folder) == []


def keep_many(folder: Path, name: str) -> None:
    cache = ResultCache(folder, 20_000)
    for number in range(100):
        cache.keep(key_of(number), f"{number}".encode() * 500)
        found = cache.get(key_of(number))
        assert found in (None, f"{number}".encode() * 500), name


@pytest.mark.slow
def test_several_processes_use_one_folder(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=keep_many, args=(folder, f"{n}")) for n in range(3)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)

    assert [other.exitcode for other in others] == [0, 0, 0]
    assert sum(path.stat().st_size for path in entries(folder)) <= 20_000
    assert not any(path.name.startswith(".unfinished") for path in entries(folder))
