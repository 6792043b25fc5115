"""A document as it is stored, made one that can be read."""

from __future__ import annotations

from dataclasses import dataclass

from server.schema import steps_from
from server.storage.store import Store
from server.storage.values import Document
from server.storage.values import Transcript as AboutTranscript
from server.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Stored:
    """What the storage holds of a document at one moment; immutable."""

    about: AboutTranscript
    document: Document

    @classmethod
    def read(cls, store: Store, transcript: str) -> Stored:
        """Read it, which blocks, and writes nothing.

        Raises:
            UnknownTranscript: There is none.
            StorageError: It cannot be read now.
        """
        return cls(store.library.get(transcript), store.documents.read(transcript))

    def replica(self, client: int) -> tuple[Transcript, bytes | None]:
        """Return a document of our version that writes as `client`, and what it has beyond this.

        Blocks for some milliseconds for three hours of speech.

        Raises:
            TranscriptError: It cannot be read.
            UnsupportedSchema: It is of a newer version.
        """
        made = Transcript(client, self.document.whole)
        if self.document.last_seq == 0:
            return made, made.begin(title=self.about.title, language=self.about.language)
        return made, made.migrate(steps_from(self.document.schema))
