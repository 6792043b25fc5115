"""A meeting as it stands in a data folder after hours of speech, written in a second.

    python -m loadtest.page_meeting FOLDER HOURS

prints its id: for tests and measurements of the page, to which it makes no difference how the words
came there. Words have times and confidence, as the live pass of a session heard them, speakers take
turns, some words are highlighted, and people disagree with suggestions. The recording is silence,
and takes no room on the disk.
"""

from __future__ import annotations

import random
import secrets
import sys
from pathlib import Path

from loadtest.editors_documents import VOCABULARY, WORD_MS, WORDS_AN_HOUR, database
from offline.decisions import Hunk
from offline.domain import PassId, PassWord, Segment, SpeakerId, TurnId, WordRef
from offline.edits import AssignTurn, Edit, InsertText, InsertTurn, Suggest
from offline.suggestions import Suggestion, SuggestionKind
from server.storage.sessions import NewSession
from server.storage.store import Store
from server.storage.values import Batch, Progress, WordChunk
from server.transcript import Transcript, make_client_id
from streaming.core.domain import Permille, from_ms

WORDS_A_TURN = 15
SPEAKERS = tuple(SpeakerId(f"speaker-{number}") for number in range(1, 5))
SUGGESTIONS = 200
HIGHLIGHTS = 200
CHUNK = 1_000
"""Words that are stored together."""

DOUBTFUL = 20
"""One word of so many was hardly heard."""

_SAMPLE_BYTES = 2


def write_meeting(folder: Path, hours: float) -> str:
    """Write a meeting into the data folder of a server that does not run; return its id."""
    transcript, name = secrets.token_urlsafe(12), secrets.token_hex(8)
    words = _words(round(hours * WORDS_AN_HOUR))
    samples = from_ms(len(words) * WORD_MS)
    with Store(database(folder)) as store:
        store.library.create(transcript, started_ms=0, title=f"{hours:g} h", language="en")
        lease = store.documents.lease(transcript)
        new = NewSession(name, offset_ms=0, samples=samples, over=True)
        session = store.sessions.add(lease, new)
        document = Transcript(make_client_id())
        updates = [
            document.begin(title=f"{hours:g} h", language="en"),
            *(document.propose_name(each, f"Voice {n + 1}") for n, each in enumerate(SPEAKERS)),
            document.write(_edits(session.live_pass, session.utterance_pass, words)),
        ]
        chunks = tuple(
            WordChunk(session.live_pass, first, tuple(words[first : first + CHUNK]))
            for first in range(0, len(words), CHUNK)
        )
        written = tuple(update for update in updates if update is not None)
        after = store.documents.read(transcript).last_seq
        progress = (Progress(name, 0, samples),)
        store.documents.append(lease, Batch(after, written, chunks, progress))
    recording = folder / "sessions" / name
    recording.mkdir(parents=True)
    with (recording / "audio.pcm").open("wb") as audio:
        audio.truncate(samples * _SAMPLE_BYTES)
    return transcript


def _words(count: int) -> list[PassWord]:
    chosen = random.Random(count).choices(VOCABULARY, k=count)
    return [
        PassWord(
            f" {text}",
            number * WORD_MS,
            (number + 1) * WORD_MS - 50,
            Permille(300 if number % DOUBTFUL == 0 else 900),
        )
        for number, text in enumerate(chosen)
    ]


def _edits(live: PassId, better: PassId, words: list[PassWord]) -> list[Edit]:
    edits: list[Edit] = []
    starts = range(0, len(words), WORDS_A_TURN)
    for number, first in enumerate(starts):
        turn, said = TurnId(f"turn-{number}"), words[first : first + WORDS_A_TURN]
        edits += [InsertTurn(0, turn), AssignTurn(turn, SPEAKERS[number % len(SPEAKERS)])]
        colour = "yellow" if number % max(1, len(starts) // HIGHLIGHTS) == 0 else None
        segment = Segment(live, first, first + len(said))
        edits.append(InsertText(0, "".join(word.text for word in said), segment, colour))
        every = max(1, len(starts) // SUGGESTIONS)
        if number % every == every - 1:
            edits.append(Suggest(_suggestion(Segment(better, number, number + 1), segment, said)))
    return edits


def _suggestion(new: Segment, segment: Segment, said: list[PassWord]) -> Suggestion:
    """Return the suggestion that the middle word of a turn was another."""
    middle = len(said) // 2
    word = WordRef(segment.pass_id, segment.first + middle)
    before = "".join(word.text for word in said[:middle])
    after = "".join(word.text for word in said[middle + 1 :])
    return Suggestion(
        str(Hunk((word,), None, new)),
        SuggestionKind.REPLACE,
        (word,),
        said[middle].text,
        " other",
        before[-20:],
        after[:20],
        new.pass_id,
        said[middle].start_ms,
        said[middle].end_ms,
    )


if __name__ == "__main__":
    print(write_meeting(Path(sys.argv[1]), float(sys.argv[2])))
