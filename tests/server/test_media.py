"""Recordings of any usual format become 16 kHz mono, in time; what is none says why."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from server.errors import MediaError, MediaFault
from server.media import Damage, Media
from streaming.core.domain import Samples
from tests.server.recording_files import (
    FORMATS,
    RATE,
    Pcm16,
    read_speech,
    wav,
    write_recording,
    write_silent_film,
    write_with_pause,
    write_without_length,
)

pytestmark = pytest.mark.slow  # files are encoded first

HOUR = Samples(3600 * RATE)


@pytest.fixture(scope="module")
def jfk(speech: Path) -> Pcm16:
    """Eleven seconds of speech."""
    return read_speech(speech / "items" / "jfk.flac")


def decoded(path: Path, limit: Samples = HOUR) -> tuple[Pcm16, Damage]:
    with Media(path) as media:
        pcm = b"".join(media.pcm(limit))
        return np.frombuffer(pcm, "<i2"), media.damage


def refusal(path: Path, limit: Samples = HOUR) -> MediaError:
    with pytest.raises(MediaError) as refused:
        decoded(path, limit)
    return refused.value


def likeness(heard: Pcm16, said: Pcm16) -> float:
    """Return how much two recordings correlate, at most 60 ms apart."""
    said = said[: len(heard)]
    length, most = len(heard) + len(said), 60 * RATE // 1000
    a, b = np.fft.rfft(heard, length), np.fft.rfft(said, length)
    by_lag = np.fft.irfft(a * np.conj(b), length)
    near = np.concatenate([by_lag[:most], by_lag[-most:]])
    energy = np.linalg.norm(heard.astype(float)) * np.linalg.norm(said.astype(float))
    return float(near.max() / energy)


def inaudible(pcm: Pcm16) -> bool:
    return bool(np.abs(pcm.astype(int)).max() < 100)


@pytest.mark.parametrize("name", FORMATS)
def test_speech_of_any_format_is_heard_at_its_time(tmp_path: Path, jfk: Pcm16, name: str) -> None:
    path = write_recording(tmp_path / name, jfk, name)

    pcm, damage = decoded(path)
    with Media(path) as media:
        length = media.measure(HOUR, lambda: None)

    assert likeness(pcm, jfk) > 0.9
    assert abs(len(pcm) - len(jfk)) < 0.1 * RATE
    assert length is not None
    assert abs(length - len(jfk)) < 0.1 * RATE
    assert damage == Damage(0, Samples(0))


def test_what_is_16_khz_already_stays_as_it_is(tmp_path: Path, jfk: Pcm16) -> None:
    (tmp_path / "plain.wav").write_bytes(wav(jfk.tobytes()))

    pcm, _ = decoded(tmp_path / "plain.wav")

    assert np.array_equal(pcm, jfk)


def test_a_pause_of_the_recorder_is_silence(tmp_path: Path, jfk: Pcm16) -> None:
    path = write_with_pause(tmp_path / "pause.mkv", jfk, at=3 * RATE, pause=20 * RATE)

    pcm, _ = decoded(path)

    assert np.array_equal(pcm[: 3 * RATE], jfk[: 3 * RATE])
    assert inaudible(pcm[3 * RATE : 23 * RATE])
    assert np.array_equal(pcm[23 * RATE :], jfk[3 * RATE :])


def test_the_length_of_what_a_browser_recorded_is_found(tmp_path: Path, jfk: Pcm16) -> None:
    path = write_without_length(tmp_path / "browser.webm", jfk)

    with Media(path) as media:
        assert media.about.length is None
        signs: list[None] = []
        length = media.measure(HOUR, lambda: signs.append(None))
    with Media(path) as media:
        read = media.measure(Samples(RATE), lambda: None)
    pcm, damage = decoded(path)

    assert len(signs) > 100
    assert read is not None
    assert RATE < read < 2 * RATE
    assert length is not None
    assert abs(length - len(jfk)) < 0.1 * RATE
    assert likeness(pcm, jfk) > 0.9
    assert damage == Damage(0, Samples(0))


@pytest.mark.parametrize("name", ["video.mp4", "video.mkv", "video.mov"])
@pytest.mark.parametrize("film_s", [1, 30])
def test_a_film_may_be_longer_or_shorter_than_its_sound(
    tmp_path: Path, jfk: Pcm16, name: str, film_s: int
) -> None:
    said = jfk[: 4 * RATE]
    path = write_recording(tmp_path / name, said, name, film_s=film_s)

    with Media(path) as media:
        length = media.measure(HOUR, lambda: None)
    pcm, damage = decoded(path)

    assert length is not None
    assert abs(length - len(said)) < 0.1 * RATE
    assert abs(len(pcm) - len(said)) < 0.1 * RATE
    assert damage == Damage(0, Samples(0))


def test_of_a_film_that_breaks_off_behind_its_sound_that_is_said(
    tmp_path: Path, jfk: Pcm16
) -> None:
    path = write_recording(tmp_path / "film.mkv", jfk[: 2 * RATE], "video.mkv", film_s=40)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 9 // 10])

    pcm, damage = decoded(path)

    assert abs(len(pcm) - 2 * RATE) < 0.1 * RATE
    assert RATE < damage.missing < 20 * RATE


@pytest.mark.parametrize("name", ["speech.flac", "speech.wav", "video.mkv"])
def test_of_a_file_that_breaks_off_there_is_what_came(
    tmp_path: Path, jfk: Pcm16, name: str
) -> None:
    path = write_recording(tmp_path / name, jfk, name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    pcm, damage = decoded(path)

    assert likeness(pcm, jfk) > 0.9
    assert 2 * RATE < len(pcm) < 9 * RATE
    assert abs(len(pcm) + damage.missing - len(jfk)) < 0.2 * RATE


def test_what_is_damaged_is_left_out_and_the_rest_is_in_time(tmp_path: Path, jfk: Pcm16) -> None:
    path = write_recording(tmp_path / "speech.mkv", jfk, "video.mkv")
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : third + 200] = random.Random(1).randbytes(200)
    path.write_bytes(content)

    pcm, _ = decoded(path)

    assert likeness(pcm[-3 * RATE :], jfk[len(pcm) - 3 * RATE : len(pcm)]) > 0.9


def test_a_damaged_timestamp_adds_no_hours(tmp_path: Path, jfk: Pcm16) -> None:
    path = write_with_pause(tmp_path / "far.mkv", jfk, at=RATE, pause=RATE)
    content = path.read_bytes()
    duration = content.index(b"\x44\x89\x88")
    path.write_bytes(content[: duration + 3] + bytes(8) + content[duration + 11 :])

    pcm, _ = decoded(path)  # says that it is of no length

    assert len(pcm) == len(jfk) + RATE


@pytest.mark.parametrize(
    ("content", "fault", "got"),
    [
        (b"", MediaFault.EMPTY, "empty"),
        (wav(b""), MediaFault.EMPTY, "none"),
        (b"Not a recording.\n" * 100, MediaFault.UNREADABLE, "a text"),
        ("Größe, 大きさ\n".encode() * 500, MediaFault.UNREADABLE, "a text"),
        (b"#EXTM3U\n#EXTINF:10,\n/etc/passwd\n", MediaFault.UNREADABLE, "a text"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", MediaFault.UNREADABLE, "a text"),
        (random.Random(1).randbytes(50_000), MediaFault.UNREADABLE, "another kind"),
        (b"RIFF\0\0\0\0WAVE", MediaFault.UNREADABLE, "incomplete"),
        (b"%PDF-1.7\n" + bytes(200), MediaFault.UNREADABLE, "another kind"),
    ],
)
def test_what_is_no_recording_is_named(
    tmp_path: Path, content: bytes, fault: MediaFault, got: str
) -> None:
    (tmp_path / "talk.mp3").write_bytes(content)

    refused = refusal(tmp_path / "talk.mp3")

    assert refused.fault is fault
    assert got in refused.got


def test_a_video_without_audio_is_named(tmp_path: Path) -> None:
    refused = refusal(write_silent_film(tmp_path / "film.mp4"))

    assert (refused.fault, refused.got) == (MediaFault.NO_AUDIO, "video")


def test_a_video_that_breaks_off_before_its_index_is_named(tmp_path: Path, jfk: Pcm16) -> None:
    path = write_recording(tmp_path / "video.mp4", jfk, "video.mp4")
    path.write_bytes(path.read_bytes()[:10_000])

    refused = refusal(path)

    assert refused.fault is MediaFault.UNREADABLE
    assert "incomplete" in refused.got


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("speech.m4a", b"mp4a", b"enca", MediaFault.PROTECTED),
        ("speech.m4a", b"mp4a", b"drms", MediaFault.PROTECTED),
        ("video.mkv", b"A_AAC", b"A_ZZZ", MediaFault.UNKNOWN_CODEC),
    ],
)
def test_what_cannot_be_decoded_is_named(
    tmp_path: Path, jfk: Pcm16, name: str, old: bytes, new: bytes, fault: MediaFault
) -> None:
    path = write_recording(tmp_path / name, jfk, name)
    path.write_bytes(path.read_bytes().replace(old, new))

    assert refusal(path).fault is fault


def test_a_file_damaged_throughout_is_refused(tmp_path: Path, jfk: Pcm16) -> None:
    path = write_recording(tmp_path / "speech.m4a", jfk, "speech.m4a")
    content = bytearray(path.read_bytes())
    begin, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    content[begin:end] = b"\xff" * (end - begin)
    path.write_bytes(content)

    refused = refusal(path)

    assert (refused.fault, refused.got) == (
        MediaFault.UNREADABLE,
        "a file that is damaged throughout",
    )


@pytest.mark.parametrize("name", ["speech.wav", "speech.mp3"])
def test_what_is_too_long_is_refused(tmp_path: Path, jfk: Pcm16, name: str) -> None:
    path = write_recording(tmp_path / name, jfk, name)

    refused = refusal(path, Samples(len(jfk) - RATE))

    assert refused.fault is MediaFault.TOO_LONG
    assert refused.expected == "at most 0:00:10"


def test_a_mad_sample_rate_is_damage(tmp_path: Path) -> None:
    (tmp_path / "mad.wav").write_bytes(wav(bytes(3_200), rate=1))

    assert refusal(tmp_path / "mad.wav").fault is MediaFault.EMPTY
