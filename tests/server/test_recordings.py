"""Recordings: what was written is there after any kind of death, and only that."""

import errno
import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import RecordingError
from server.journal import Entry, write_entry
from server.messages import Encoding, Finals
from server.recordings import Archive, Manifest, Recording, finished, read_manifest, write_manifest
from server.terms import Terms
from streaming.core.domain import Samples, UtteranceId
from streaming.core.events import Final, SpeechStarted
from tests.server.events import span, word

TERMS = Terms(
    sample_rate=48_000,
    encoding=Encoding.PCM_F32LE,
    language="de",
    lookahead_ms=600,
    max_delay_ms=4_000,
    diarization=True,
    diarization_latency_ms=1_000,
    hotwords=("ComfyUI", "Grüße"),
    partials=False,
    finals=Finals.UTTERANCE,
)
MANIFEST = Manifest("abcdefgh1234", "0f" * 32, 1_700_000_000_000, TERMS)


def entries(count: int, first: int = 1) -> list[Entry]:
    return [
        Entry(seq, Final(UtteranceId(seq), (word(f" wörd{seq}", seq * 10, seq * 10 + 5),)))
        for seq in range(first, first + count)
    ]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def reopened(archive: Archive) -> Recording:
    recording = archive.open(MANIFEST.session)
    assert recording is not None
    return recording


def test_audio_and_entries_are_there_without_closing(archive: Archive) -> None:
    with archive.create(MANIFEST) as recording:
        recording.append(b"\1\0\2\0", entries(2))
        recording.append(b"\3\0", entries(1, first=3))

        with reopened(archive) as again:
            assert again.samples == 3
            assert again.audio(span(1, 3)).tolist() == [2, 3]
            assert again.entries(0, 10) == entries(3)
            assert again.ledger.last_seq == 3
            assert again.manifest == MANIFEST


def test_entries_are_read_in_pages(archive: Archive) -> None:
    with archive.create(MANIFEST) as recording:
        recording.append(b"", entries(5))

        assert recording.entries(1, 2) == entries(2, first=2)
        assert recording.entries(4, 2) == entries(1, first=5)
        assert recording.entries(5, 2) == []
        assert recording.entries(9, 2) == []


def test_audio_beyond_the_end_is_not_there(archive: Archive) -> None:
    with archive.create(MANIFEST) as recording:
        recording.append(b"\1\0", [])

        assert recording.audio(span(0, 100)).tolist() == [1]
        assert recording.audio(span(50, 100)).tolist() == []


@given(cut=st.integers(0, 1000), odd=st.booleans())
def test_a_write_cut_short_is_undone(
    tmp_path_factory: pytest.TempPathFactory, *, cut: int, odd: bool
) -> None:
    root = tmp_path_factory.mktemp("data")
    archive = Archive(root)
    lines = [write_entry(entry) for entry in entries(6)]
    journal = b"".join(lines)
    cut = min(cut, len(journal))
    with archive.create(MANIFEST):
        folder = root / "sessions" / MANIFEST.session
        (folder / "events.jsonl").write_bytes(journal[:cut])
        (folder / "audio.pcm").write_bytes(b"\1\0\2\0" + (b"\3" if odd else b""))

    with reopened(archive) as again:
        whole = again.ledger.last_seq
        again.append(b"\4\0", entries(1, first=whole + 1))

    assert whole == sum(len(b"".join(lines[: n + 1])) <= cut for n in range(6))
    with reopened(archive) as healed:
        assert healed.entries(0, 10) == entries(whole + 1)
        assert healed.audio(span(0, 9)).tolist() == [1, 2, 4]


@pytest.mark.parametrize("journal", [b"{}\n", write_entry(entries(1, first=2)[0])])
def test_a_journal_that_is_not_ours_is_refused(
    archive: Archive, tmp_path: Path, journal: bytes
) -> None:
    archive.create(MANIFEST).close()
    (tmp_path / "sessions" / MANIFEST.session / "events.jsonl").write_bytes(journal)

    with pytest.raises(RecordingError, match=r"events\.jsonl"):
        archive.open(MANIFEST.session)


def test_the_manifest_reads_back_as_it_was_noted(archive: Archive) -> None:
    with archive.create(MANIFEST) as recording:
        recording.note(finished(replace(MANIFEST, ended=True), failed=True))
        noted = recording.manifest

    with reopened(archive) as again:
        assert again.manifest == noted
        assert again.manifest.finished_ms is not None


def test_the_manifest_of_a_session_in_a_transcript_reads_back(tmp_path: Path) -> None:
    terms = replace(TERMS, transcript="q9_Tz-3kLw0aXb7c", person="Zoë", microphone="desk")
    write_manifest(tmp_path, replace(MANIFEST, terms=terms))

    assert read_manifest(tmp_path).terms == terms


def test_a_manifest_of_before_there_were_transcripts_is_read(tmp_path: Path) -> None:
    (tmp_path / "session.json").write_text(
        """{"version": 1, "session": "abcdefgh1234", "fingerprint": "0f", "created_ms": 17,
        "terms": {"sample_rate": 16000, "encoding": "pcm_s16le", "language": "auto",
        "lookahead_ms": 600, "max_delay_ms": 4000, "diarization": true,
        "diarization_latency_ms": 2000, "hotwords": [], "partials": true, "finals": "word"},
        "ended": true, "finished_ms": 42, "failed": false}"""
    )

    terms = read_manifest(tmp_path).terms

    assert (terms.sample_rate, terms.diarization) == (16_000, True)
    assert (terms.transcript, terms.person, terms.microphone) == (None, None, None)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "session": "x"}']
)
def test_a_manifest_that_is_not_ours_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "session.json").write_text(content)

    with pytest.raises(RecordingError, match=r"session\.json"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sample_rate", "fast"),
        ("hotwords", "one"),
        ("finals", "never"),
        ("encoding", "opus"),
        ("transcript", 7),
        ("person", ["Zoë"]),
        ("microphone", False),
    ],
)
def test_terms_that_are_not_ours_are_refused(tmp_path: Path, name: str, value: object) -> None:
    write_manifest(tmp_path, MANIFEST)
    fields = json.loads((tmp_path / "session.json").read_text())
    fields["terms"][name] = value
    (tmp_path / "session.json").write_text(json.dumps(fields))

    with pytest.raises(RecordingError):
        read_manifest(tmp_path)


@pytest.mark.parametrize("session", ["unknown1", "../../etc", "", "abcdefgh1234/..", "ABCDEFGH"])
def test_an_unknown_session_is_not_opened_whatever_its_name(archive: Archive, session: str) -> None:
    archive.create(MANIFEST).close()

    assert archive.open(session) is None


def test_unfinished_sessions_are_found_oldest_first(archive: Archive, tmp_path: Path) -> None:
    for session, created_ms in (("newer111", 2), ("older111", 1), ("finished1", 0)):
        manifest = replace(MANIFEST, session=session, created_ms=created_ms)
        with archive.create(manifest) as recording:
            if session == "finished1":
                recording.note(finished(manifest))
    (tmp_path / "sessions" / "stranger").mkdir()

    assert archive.unfinished() == ["older111", "newer111"]


def test_an_empty_data_folder_has_no_sessions(archive: Archive) -> None:
    assert archive.unfinished() == []


def test_old_finished_sessions_are_removed_and_no_others(archive: Archive, tmp_path: Path) -> None:
    for session, finished_ms in (("open1111", None), ("old11111", 999), ("new11111", 1000)):
        manifest = replace(MANIFEST, session=session, finished_ms=finished_ms)
        archive.create(manifest).close()

    assert archive.sweep(finished_before_ms=1000) == 1

    left = {folder.name for folder in (tmp_path / "sessions").iterdir()}
    assert left == {"open1111", "new11111"}


def test_a_removed_recording_leaves_nothing_though_its_session_goes_on(
    archive: Archive, tmp_path: Path
) -> None:
    with archive.create(MANIFEST) as recording:
        archive.remove(MANIFEST.session)
        recording.append(b"\1\0", entries(1))
        recording.note(finished(MANIFEST))
        assert recording.audio(span(0, 1)).tolist() == [1]
        assert recording.manifest.finished_ms is not None

    assert list((tmp_path / "sessions").iterdir()) == []
    assert archive.size_bytes(MANIFEST.session) == 0
    archive.remove(MANIFEST.session)


def test_a_recording_is_removed_while_its_manifest_is_written(archive: Archive) -> None:
    with archive.create(MANIFEST) as recording:
        stop = threading.Event()

        def note() -> None:
            while not stop.is_set():
                recording.note(MANIFEST)

        noting = threading.Thread(target=note)
        noting.start()
        try:
            archive.remove(MANIFEST.session)
        finally:
            stop.set()
            noting.join()

    assert archive.manifest(MANIFEST.session) is None


@pytest.mark.parametrize("first", [FileNotFoundError(), OSError(errno.ENOTEMPTY, "not empty")])
def test_a_file_that_comes_or_goes_meanwhile_does_not_stop_a_removal(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, first: OSError
) -> None:
    archive.create(MANIFEST).close()
    errors, rmtree = [first], shutil.rmtree

    def interrupted(folder: Path) -> None:
        if errors:
            raise errors.pop()
        rmtree(folder)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    archive.remove(MANIFEST.session)

    assert archive.manifest(MANIFEST.session) is None


def test_a_removal_that_the_system_refuses_is_told(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.create(MANIFEST).close()

    def refuse(_folder: Path) -> None:
        raise PermissionError(errno.EACCES, "denied")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(PermissionError):
        archive.remove(MANIFEST.session)


def test_recordings_are_for_their_owner_only(archive: Archive, tmp_path: Path) -> None:
    with archive.create(MANIFEST) as recording:
        recording.append(b"", [Entry(1, SpeechStarted(UtteranceId(0), Samples(0)))])

    folder = tmp_path / "sessions" / MANIFEST.session
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "audio.pcm").stat().st_mode & 0o777 == 0o600


def test_the_resume_token_is_not_on_disk_in_clear(archive: Archive, tmp_path: Path) -> None:
    archive.create(MANIFEST).close()

    assert (
        MANIFEST.fingerprint
        in (tmp_path / "sessions" / MANIFEST.session / "session.json").read_text()
    )
