"""What lists and searches are to know of a document.

Rooms describe theirs now and then, and when they close. What a server had not described when it was
killed, `catch_up` describes at the next start.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial

from offline.domain import PassId, PassWord
from server.errors import TranscriptError
from server.storage.errors import StorageError
from server.storage.store import Store
from server.storage.values import Description
from server.store_threads import StoreThreads
from server.stored import Stored
from server.transcript import Transcript, make_client_id

logger = logging.getLogger(__name__)

LONGEST_TITLE = 300
LONGEST_LANGUAGE = 35
"""Characters of what lists show; the longest language tags have 35 (RFC 5646, section 4.4.1)."""


def describe(transcript: Transcript, passes: Mapping[PassId, Sequence[PassWord]]) -> Description:
    """Return what is to be known of a document now."""
    return Description(
        title=_shown(transcript.meta("title") or "", LONGEST_TITLE),
        language=_shown(transcript.meta("language") or "", LONGEST_LANGUAGE) or None,
        text=f"{transcript.text}\n{transcript.notes}",
        speakers=len(set(transcript.turn_speakers().values())),
        duration_ms=max((words[-1].end_ms for words in passes.values() if words), default=0),
    )


async def catch_up(store: Store, threads: StoreThreads) -> None:
    """Describe all documents of which lists and searches do not know the newest, one by one.

    Takes no room away from another server. What fails is left to the next start.
    """
    after = ""
    try:
        while following := await threads.read(partial(store.library.next_undescribed, after)):
            after = following
            await _catch_up(store, threads, following)
    except StorageError:
        logger.exception("documents not described", extra={"after": after})


async def _catch_up(store: Store, threads: StoreThreads, transcript: str) -> None:
    try:
        description, seq = await threads.read(lambda: _read(store, transcript))
        await threads.write(lambda: store.library.describe(transcript, description, seq))
    except (StorageError, TranscriptError):  # It is found by what it said before.
        logger.exception("document not described", extra={"transcript": transcript})


def _read(store: Store, transcript: str) -> tuple[Description, int]:
    """Return what is to be known of a stored document, and its last update; blocks."""
    stored = Stored.read(store, transcript)
    replica, _ = stored.replica(make_client_id())
    passes = store.passes.words(transcript, [each.id for each in store.passes.of(transcript)])
    return describe(replica, passes), stored.document.last_seq


def _shown(text: str, longest: int) -> str:
    """Return what lists show of a text that people may have typed: a short line."""
    return "".join(filter(str.isprintable, text[:longest]))
