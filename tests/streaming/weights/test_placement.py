"""Files appear whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from streaming.weights.placement import replace_durably, sha256_of, write_durably


def test_checksum_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")

    # FIPS 180-2, appendix B.1
    assert sha256_of(tmp_path / "file") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_replacing_leaves_one_readable_file(tmp_path: Path) -> None:
    staged, target = tmp_path / "staged", tmp_path / "target"
    staged.write_bytes(b"new")
    staged.chmod(0o600)
    target.write_bytes(b"old")

    replace_durably(staged, target)

    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [target]


def test_who_has_the_old_file_open_keeps_its_content(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")

    with target.open("rb") as reader:
        write_durably(target, b"new")

        assert reader.read() == b"old"
    assert target.read_bytes() == b"new"


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()

    with pytest.raises(IsADirectoryError):
        write_durably(target, b"new")

    assert list(tmp_path.iterdir()) == [target]
