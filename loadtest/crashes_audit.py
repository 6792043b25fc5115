"""What a killed server left behind, against what it had promised."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtest.editors_documents import database
from loadtest.editors_typing import Mark, doubled, find_marks, without_marks
from loadtest.recordings import SAMPLE_BYTES
from loadtest.scoring import align
from server.storage.store import Store
from server.transcript import Transcript, make_client_id


@dataclass(frozen=True, slots=True)
class Promised:
    """What clients have been told by now.

    Attributes:
        session: The id of who speaks.
        transcript: The id of the document.
        samples: Audio that was acknowledged.
        seen: Edits that another editor saw.
    """

    session: str
    transcript: str
    samples: int
    seen: frozenset[Mark]


@dataclass(frozen=True, slots=True)
class Loss:
    """What is missing of that on the disk, before a server starts that clients could send it to."""

    edits: int
    samples: int


@dataclass(frozen=True, slots=True)
class WordCounts:
    """Final words, in the order in which they were said.

    Attributes:
        told: Words that the client was told, as corrected in the end.
        missing: Of them, words that are not in the document.
        extra: Words of the document that it was not told.
    """

    told: int
    missing: int
    extra: int


@dataclass(frozen=True, slots=True)
class EditCounts:
    """Edits: all that were made, and those that had been seen by another editor.

    Attributes:
        typed: All of them.
        missing: Of them, those that are not in the document.
        doubled: Those that are there more than once.
        seen: Those that the other editor saw.
    """

    typed: int
    missing: int
    doubled: int
    seen: int


@dataclass(frozen=True, slots=True)
class CrashReport:
    """What came of all kills.

    Attributes:
        words: Final words, at the end.
        edits: Edits, at the end.
        losses: What was missing after each kill.
        acknowledged_samples: Audio that was acknowledged, at the end.
        wrong_samples: Samples of the recording that are missing, or not those that were sent.
        replicas_differ: Whether editors and storage ended with different texts.
        back_s: From each start of the next server until everybody was connected again.
    """

    words: WordCounts
    edits: EditCounts
    acknowledged_samples: int
    wrong_samples: int
    replicas_differ: bool
    losses: tuple[Loss, ...]
    back_s: tuple[float, ...]

    @property
    def kills(self) -> int:
        """How many there were."""
        return len(self.losses)

    @property
    def lost_edits(self) -> int:
        """Edits that somebody had seen, and that were not stored at a kill."""
        return sum(loss.edits for loss in self.losses)

    @property
    def lost_samples(self) -> int:
        """Audio that had been acknowledged, and was not stored at a kill."""
        return sum(loss.samples for loss in self.losses)

    @property
    def complete(self) -> bool:
        """Whether nothing was lost, and nothing is there twice."""
        words, edits = self.words, self.edits
        wrong = (words.missing, words.extra, edits.missing, edits.doubled, self.wrong_samples)
        return not (self.replicas_differ or self.lost_edits or self.lost_samples or any(wrong))


def stored_text(folder: Path, transcript: str) -> str:
    """Return the text in the storage of a server that does not run."""
    with Store(database(folder)) as store:
        document = store.documents.read(transcript)
    snapshot = () if document.snapshot is None else (document.snapshot,)
    return Transcript(make_client_id(), (*snapshot, *document.updates)).text


def recorded(folder: Path, session: str) -> bytes:
    """Return the audio of a session, as its server left it; half a sample may stand at the end."""
    return (folder / "sessions" / session / "audio.pcm").read_bytes()


def count_loss(folder: Path, promised: Promised) -> Loss:
    """Count what is missing in the data folder of a server that was just killed."""
    there = set(find_marks(stored_text(folder, promised.transcript).encode()))
    samples = len(recorded(folder, promised.session)) // SAMPLE_BYTES
    return Loss(len(promised.seen - there), max(0, promised.samples - samples))


def count_words(text: str, told: Sequence[str]) -> WordCounts:
    """Compare a document with the words that a client was told, one after the other."""
    errors = align(told, without_marks(text).split()).errors
    missing, extra = errors.deletions, errors.insertions
    return WordCounts(len(told), missing + errors.substitutions, extra + errors.substitutions)


def count_edits(text: str, typed: Collection[Mark], seen: Collection[Mark]) -> EditCounts:
    """Compare a document with what editors typed."""
    there = find_marks(text.encode())
    return EditCounts(len(typed), len(set(typed) - set(there)), doubled(there), len(seen))


def count_wrong_samples(recording: bytes, sent: bytes) -> int:
    """Return how many samples of a whole recording are not those that were sent."""
    if recording == sent:
        return 0
    pairs = zip(_samples(recording), _samples(sent), strict=False)
    differing = sum(there != expected for there, expected in pairs)
    return differing + abs(len(recording) - len(sent)) // SAMPLE_BYTES


def _samples(audio: bytes) -> list[bytes]:
    return [audio[at : at + SAMPLE_BYTES] for at in range(0, len(audio), SAMPLE_BYTES)]
