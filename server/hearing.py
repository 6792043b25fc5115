"""What the child of a worker does: it reads recordings, and has a pass hear them.

Imported by that process, so it needs neither sockets nor a database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from offline.child import Hear
from offline.domain import PassWord
from offline.errors import Unheard
from offline.jobs import Failure, FailureCode, Task
from offline.results import Hearing
from server.audio_store import AudioStore
from server.errors import AudioStoreError
from server.logs import configure
from server.memory import bound_arenas
from server.passes import accurate_pass
from server.recordings import SAMPLE_BYTES, Archive
from server.resampling import as_heard
from server.settings import Settings
from server.upload_files import UploadFiles, longest_upload
from streaming.core.domain import Pcm, Samples, Span

UNPACKING = 0.05
"""What part of the work decoding a file is: an hour of MP3 takes some 10 s."""


class RecordedAudio:
    """The audio of one session, as long as it was when this was made."""

    def __init__(self, archive: Archive, session: str) -> None:
        """Look how long it is.

        Raises:
            AudioStoreError: It cannot be known now.
        """
        self._archive = archive
        self._session = session
        self.samples = Samples(archive.size_bytes(session) // SAMPLE_BYTES)

    def read(self, span: Span) -> Pcm:
        """Return a stretch, exactly as long as `span`; what lies outside of it is silence.

        Raises:
            AudioStoreError: It cannot be read now.
        """
        window = np.zeros(span.length, dtype=np.float32)
        first, end = max(span.start, 0), min(span.end, self.samples)
        if first < end:
            content = self._archive.read(self._session, first * SAMPLE_BYTES, end * SAMPLE_BYTES)
            heard = np.frombuffer(content[: len(content) // SAMPLE_BYTES * SAMPLE_BYTES], "<i2")
            window[first - span.start :][: len(heard)] = as_heard(heard)
        return window


@dataclass(frozen=True, slots=True)
class Hiring:
    """What a child is told when it is hired: calling it loads the models."""

    settings: Settings

    def __call__(self) -> Hear:
        """Prepare to hear; models are loaded when a task needs them.

        Raises:
            SettingsError: The passes cannot be understood.
        """
        bound_arenas()
        configure(self.settings.log_level, self.settings.log_format)
        archive = open_archive(self.settings)
        uploads = UploadFiles(self.settings.data_dir)
        longest = longest_upload(self.settings.upload_hours)
        accurate = accurate_pass(self.settings)

        def hear_recording(
            task: Task,
            earlier: Sequence[Sequence[PassWord]],
            progress: Callable[[float], None],
        ) -> Hearing:
            if uploads.unpack(task.session, longest, _part(progress, 0.0, UNPACKING)):
                progress = _part(progress, UNPACKING, 1.0)
            try:
                audio = RecordedAudio(archive, task.session)
                if audio.samples == 0:
                    expected = "the recording of a session expected, got none"
                    raise Unheard(Failure(FailureCode.NO_AUDIO, expected, retry=True))
                return accurate.hear(audio, task, earlier, progress)
            except AudioStoreError as error:
                failure = Failure(FailureCode.UNAVAILABLE, str(error), retry=True)
                raise Unheard(failure) from error

        return hear_recording


def _part(progress: Callable[[float], None], start: float, end: float) -> Callable[[float], None]:
    """Return what tells the progress of a part of the work."""
    return lambda done: progress(start + done * (end - start))


def is_seen(archive: Archive, session: str) -> bool:
    """Whether the recording of a session can be read here, or at least would be here.

    A session whose audio is empty, or not decoded yet, is seen as well. Asks the object store, if
    there is one and the data folder does not have it.
    """
    try:
        return archive.manifest(session) is not None or archive.size_bytes(session) > 0
    except AudioStoreError:
        return False


def open_archive(settings: Settings) -> Archive:
    """Return where sessions are recorded.

    Raises:
        AudioStoreError: The object store's address is wrong.
    """
    store = None if settings.recordings_url is None else AudioStore(settings.recordings_url)
    return Archive(settings.data_dir, store)
