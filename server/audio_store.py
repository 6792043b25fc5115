"""Finished recordings in an object store: S3, Google Cloud, Azure, or a folder elsewhere.

The only module that imports obstore. A recording that is being made needs a file that grows, so it
begins in the data folder, and is moved here once its session can no longer be resumed. Everything
blocks and belongs in a worker thread.
"""

from __future__ import annotations

from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from server.errors import AudioStoreError


class AudioStore:
    """The recordings of one server or of many, by session."""

    def __init__(self, url: str) -> None:
        """Open a store; nothing is read or written yet.

        Args:
            url: `s3://BUCKET/PREFIX`, `gs://`, `az://`, or `file:///FOLDER`. Credentials come from
                the environment, as each provider's own tools take them.

        Raises:
            AudioStoreError: It is no such address.
        """
        try:
            local = url.startswith("file:")
            self._store: ObjectStore = from_url(url, mkdir=True) if local else from_url(url)
        except (BaseError, ValueError) as error:
            raise AudioStoreError(
                "s3://, gs://, az:// or file:// and a place", "another"
            ) from error

    def keep(self, session: str, audio: Path) -> None:
        """Copy a recording into the store, in place of what is there.

        Raises:
            AudioStoreError: It is not there as a whole afterwards.
            OSError: The file cannot be read.
        """
        size_bytes = audio.stat().st_size
        try:
            obstore.put(self._store, _key(session), audio)
        except BaseError as error:
            raise AudioStoreError("a recording to be stored", "a refusal") from error
        stored = self.size_bytes(session)
        if stored != size_bytes:
            raise AudioStoreError(f"{size_bytes} bytes", f"{stored} bytes")

    def size_bytes(self, session: str) -> int | None:
        """Return how long a recording is; `None` if it is not here.

        Raises:
            AudioStoreError: The store cannot be asked.
        """
        try:
            return int(obstore.head(self._store, _key(session))["size"])
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise AudioStoreError("the size of a recording", "a refusal") from error

    def read(self, session: str, first: int, end: int) -> bytes:
        """Return the bytes `[first, end)` of a recording; none if it is not here any more.

        Raises:
            AudioStoreError: The store cannot be read.
        """
        try:
            return bytes(obstore.get_range(self._store, _key(session), start=first, end=end))
        except FileNotFoundError:
            return b""
        except BaseError as error:
            raise AudioStoreError("a part of a recording", "a refusal") from error

    def remove(self, session: str) -> None:
        """Remove a recording for ever; harmless if it is not here.

        Raises:
            AudioStoreError: It may still be there.
        """
        try:
            obstore.delete(self._store, _key(session))
        except FileNotFoundError:
            pass
        except BaseError as error:
            raise AudioStoreError("a recording to be removed", "a refusal") from error


def _key(session: str) -> str:
    return f"sessions/{session}/audio.pcm"
