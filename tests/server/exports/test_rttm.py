"""RTTM as the loader of pyannote.database reads it."""

from pathlib import Path

import pytest
from hypothesis import given

from offline.domain import PassWord, Run, Segment, Turn
from server.exports.rttm import write_rttm
from server.exports.transcript import ExportedTranscript
from streaming.core.domain import Permille
from tests.server.exports.transcripts import (
    ADA,
    BOB,
    LIVE,
    exported,
    hostile_transcripts,
    transcript,
)

Stretch = tuple[float, float, str]


def read(written: bytes, folder: Path) -> dict[str, list[Stretch]]:
    from pyannote.database.util import load_rttm

    file = folder / "x.rttm"
    file.write_bytes(written)
    return {
        name: [
            (round(segment.start, 3), round(segment.end, 3), speaker)
            for segment, _, speaker in annotation.itertracks(yield_label=True)
        ]
        for name, annotation in load_rttm(file).items()  # type: ignore[no-untyped-call]  # a library without types
    }


@pytest.mark.slow
def test_each_stretch_of_a_speaker_is_a_line(tmp_path: Path) -> None:
    said = transcript([(ADA, "one two"), (BOB, "three"), (None, "four")], every_ms=599)

    assert read(write_rttm(said), tmp_path) == {
        "T-1": [
            (1.0, 1.899, "s1"),
            (2.198, 2.498, "s2"),
            (2.797, 3.097, "unknown"),
        ]
    }


def test_a_long_pause_divides_a_turn() -> None:
    written = write_rttm(transcript([(ADA, "one two")], every_ms=600)).decode()

    assert written == (
        "SPEAKER T-1 1 1.000 0.300 <NA> <NA> s1 <NA> <NA>\n"
        "SPEAKER T-1 1 1.600 0.300 <NA> <NA> s1 <NA> <NA>\n"
    )


def test_stretches_are_in_order_of_time_whatever_that_of_the_words() -> None:
    words = [PassWord(" a", 0, 2000, Permille(1)), PassWord(" b", 500, 900, Permille(1))]
    turns = [
        Turn(None, ADA, (Run("b", Segment(LIVE, 1, 2)),)),
        Turn(None, BOB, (Run("b", Segment(LIVE, 1, 2)), Run(" a", Segment(LIVE, 0, 1)))),
        Turn(None, ADA, (Run("a", Segment(LIVE, 0, 1)), Run(" b", None))),
    ]
    lines = write_rttm(exported(turns, words)).decode().splitlines()

    assert [line.split()[3:5] + line.split()[7:8] for line in lines] == [
        ["0.000", "2.000", "s2"],
        ["0.500", "0.400", "s1"],
    ]


def test_what_was_only_typed_was_never_spoken() -> None:
    assert write_rttm(transcript([(ADA, "[typed]")])) == b""
    assert write_rttm(transcript()) == b""


@pytest.mark.slow
@given(hostile_transcripts())
def test_every_line_has_ten_fields_whatever_the_ids(said: ExportedTranscript) -> None:
    written = write_rttm(said).decode("ascii")

    for line in written.splitlines():
        kind, file, channel, start, duration, *_ = fields = line.split(" ")
        assert len(fields) == 10
        assert all(fields)
        assert (kind, file, channel) == ("SPEAKER", "T-1", "1")
        assert float(start) >= 0
        assert float(duration) > 0
