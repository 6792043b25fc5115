"""Putting files in place so that nobody ever sees half of one, and telling files apart."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Return the checksum of a file in lower-case hexadecimal; 0.1-0.4 s for 145 MB."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_durably(staged: Path, target: Path) -> None:
    """Move a finished file over `target`, in one step that survives a power cut.

    A process that has the old file open or mapped keeps the old content.

    Args:
        staged: On the same file system as `target`; gone afterwards.
    """
    with staged.open("rb") as file:
        os.fsync(file.fileno())
    # mkstemp makes files private, but a cache may be shared by several users of a machine.
    staged.chmod(0o644)
    staged.replace(target)
    _sync_folder(target.parent)


def write_durably(target: Path, content: bytes) -> None:
    """Write a small file in one step; the folder must exist."""
    staged = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        staged.write_bytes(content)
        replace_durably(staged, target)
    finally:
        staged.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable: it is the folder's content that changed."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
