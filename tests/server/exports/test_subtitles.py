"""Subtitles, as pysubs2 and webvtt-py read them."""

import re
from collections.abc import Sequence
from html import unescape
from io import StringIO

import pysubs2
import pytest
import webvtt
from hypothesis import given

from server.exports.captions import Naming, captions
from server.exports.subtitles import write_srt, write_vtt
from server.exports.transcript import ExportedTranscript
from server.exports.wording import speaker_name
from tests.server.exports.transcripts import ADA, TALK, hostile_transcripts, transcript

Cue = tuple[int, int, str]
HOUR_MS = 3_600_000


def read_with_pysubs2(written: bytes, name: str) -> list[Cue]:
    read = pysubs2.SSAFile.from_string(written.decode(), format_=name)
    return [(event.start, event.end, event.plaintext) for event in read]


def expected(said: ExportedTranscript, naming: Naming) -> list[Cue]:
    return [
        (caption.start_ms, caption.end_ms, "\n".join(caption.lines))
        for caption in captions(said, naming)
    ]


def read_with_webvtt(written: bytes) -> Sequence[webvtt.Caption]:
    read = webvtt.from_buffer(StringIO(written.decode()), format="vtt")
    assert isinstance(read.captions, list)
    return read.captions


def test_srt_names_a_speaker_at_each_change() -> None:
    assert write_srt(transcript(TALK[1:3])).decode() == (
        "1\n"
        "00:00:01,000 --> 00:00:03,300\n"
        "Bob: Hello Ada! really Shall we begin?\n"
        "\n"
        "2\n"
        "00:00:03,500 --> 00:00:04,800\n"
        "I have slides.\n"
        "\n"
    )


def test_vtt_has_a_voice_for_each_caption() -> None:
    assert write_vtt(transcript(TALK[2:])).decode() == (
        "WEBVTT\n"
        "\n"
        "00:00:01.000 --> 00:00:02.300\n"
        "<v Bob>I have slides.\n"
        "\n"
        "00:00:02.500 --> 00:00:03.300\n"
        "<v Ada>Yes.\n"
    )


def test_text_of_nobody_has_no_voice() -> None:
    assert b"\nhello\n" in write_vtt(transcript([(None, "hello")]))


def test_a_voice_does_not_end_in_an_arrow() -> None:
    said = transcript([(ADA, "hello")], ada="Ada--")

    assert "<v Ada-- >hello" in write_vtt(said).decode()


def test_pysubs2_reads_both() -> None:
    said = transcript(TALK)

    assert read_with_pysubs2(write_srt(said), "srt") == expected(said, Naming.IN_TEXT)
    assert read_with_pysubs2(write_vtt(said), "vtt") == expected(said, Naming.APART)


def test_an_empty_transcript_is_an_empty_file() -> None:
    assert write_srt(transcript()) == b""
    assert write_vtt(transcript()) == b"WEBVTT\n"
    assert read_with_webvtt(write_vtt(transcript())) == []


@pytest.mark.parametrize("hours", [10, 25, 99, 100, 1000])
def test_hours_are_not_limited(hours: int) -> None:
    said = transcript([(ADA, "Late.")], start_ms=hours * HOUR_MS)

    assert f"\n{hours}:00:00,000 --> {hours}:00:00,800\n" in write_srt(said).decode()
    assert f"\n{hours}:00:00.000 --> {hours}:00:00.800\n" in write_vtt(said).decode()


def test_what_players_of_srt_interpret_is_kept_as_text() -> None:
    said = transcript([(ADA, r"a<b <i>x</i> {\an8} C:\new 1 --> 2 {x}")])

    written = write_srt(said).decode()

    assert written.count("-->") == 1
    assert not re.search(r"<[/\w]|\{\\", written)
    assert written.replace("\u2060", "").split("\n")[2:4] == [
        r"Ada: a<b <i>x</i> {\an8}",
        r"C:\new 1 --> 2 {x}",
    ]


BLOCK = re.compile(r"(\d+)\n(\d\d+:\d\d:\d\d,\d{3}) --> (\d\d+:\d\d:\d\d,\d{3})\n((?:.+\n){1,2})\n")


@pytest.mark.slow
@given(hostile_transcripts())
def test_nobody_can_break_an_srt(said: ExportedTranscript) -> None:
    written = write_srt(said).decode()

    blocks = BLOCK.findall(written)

    assert "".join(f"{n}\n{a} --> {b}\n{text}\n" for n, a, b, text in blocks) == written
    assert [int(block[0]) for block in blocks] == list(range(1, len(blocks) + 1))
    assert [block[3].replace("\u2060", "").rstrip("\n") for block in blocks] == [
        text.replace("\u2060", "") for _, _, text in expected(said, Naming.IN_TEXT)
    ]
    assert written.count("-->") == len(blocks)


@pytest.mark.slow
@given(hostile_transcripts())
def test_nobody_can_break_a_vtt(said: ExportedTranscript) -> None:
    cues = read_with_webvtt(write_vtt(said))

    assert [
        (cue.start_in_seconds * 1000, unescape(re.sub(r"^<v [^>]*>", "", cue.raw_text)))
        for cue in cues
    ] == [(start // 1000 * 1000, text) for start, _, text in expected(said, Naming.APART)]
    assert [unescape(cue.voice or "").rstrip(" ") for cue in cues] == [
        speaker_name(said, caption.speaker) for caption in captions(said, Naming.APART)
    ]
    assert all(not re.search(r"<(?!v )|-->", cue.raw_text) for cue in cues)
