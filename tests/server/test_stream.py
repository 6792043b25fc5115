"""A session over a real socket, from `start` to `done`."""

from pathlib import Path

import numpy as np
import pytest

from tests.server.editing import TRANSCRIPT, store_of
from tests.server.talking import (
    JSON,
    MSGPACK,
    final_words,
    journal,
    running,
    samples,
    talk,
    talking,
)

WORDS = 12
LENGTH_S = 9.0


@pytest.mark.slow
@pytest.mark.parametrize("subprotocol", [MSGPACK, JSON])
async def test_a_session_goes_from_audio_to_done(tmp_path: Path, subprotocol: str) -> None:
    async with (
        running(tmp_path, talk(WORDS)) as server,
        talking(server, subprotocol=subprotocol) as client,
    ):
        ready = await client.start(language="en")
        await client.stream(samples(LENGTH_S))
        await client.send("end")

        assert await client.closed() == 1000

    assert ready["next"] == 0
    assert ready["resumed"] is False
    assert client.text() == "".join(f" w{n}" for n in range(WORDS))
    done = client.messages[-1]
    assert done["type"] == "done"
    assert (done["audio_ms"], done["words"], done["speakers"]) == (9000, WORDS, 2)
    assert [event["seq"] for event in client.lasting()] == list(range(1, len(client.lasting()) + 1))
    assert len(final_words(journal(server, ready))) == WORDS
    folder = server.data_dir / "sessions" / str(ready["session"])
    assert (folder / "audio.pcm").read_bytes() == samples(LENGTH_S)


async def test_audio_is_acknowledged_when_it_is_on_disk(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server, talking(server) as client:
        ready = await client.start(language="en")
        recorded = server.data_dir / "sessions" / str(ready["session"]) / "audio.pcm"
        await client.stream(samples(1.0))

        await client.until_that(lambda m: m["type"] == "ack" and m["samples"] == 16_000)

        assert recorded.stat().st_size == 32_000


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "encoding"), [(48_000, "pcm_f32le"), (8_000, "pcm_s16le")])
async def test_other_rates_and_encodings_are_heard_on_the_same_clock(
    tmp_path: Path, rate: int, encoding: str
) -> None:
    pcm = np.frombuffer(samples(LENGTH_S, rate), dtype="<i2")
    floats = encoding == "pcm_f32le"
    audio = (pcm / 32_768).astype("<f4").tobytes() if floats else pcm.tobytes()
    async with running(tmp_path, talk(WORDS)) as server, talking(server) as client:
        ready = await client.start(language="en", sample_rate=rate, encoding=encoding)
        await client.stream(audio, piece=9600, width=4 if floats else 2)
        await client.send("end")

        assert await client.closed() == 1000

    assert client.messages[-1]["audio_ms"] == 9000
    assert final_words(journal(server, ready))[0] == [" w0", 0, 6400]
    assert client.text() == "".join(f" w{n}" for n in range(WORDS))


async def test_audio_in_pieces_of_one_sample_gives_the_same_recording(tmp_path: Path) -> None:
    pcm = samples(0.05)
    async with running(tmp_path, talk(1)) as server, talking(server, subprotocol=JSON) as client:
        ready = await client.start()
        await client.stream(pcm, piece=2)
        await client.send("end")
        await client.closed()

    recorded = server.data_dir / "sessions" / str(ready["session"]) / "audio.pcm"
    assert recorded.read_bytes() == pcm


async def test_finalize_makes_words_final_before_the_pause(tmp_path: Path) -> None:
    async with running(tmp_path, talk(4)) as server, talking(server) as client:
        await client.start(language="en", lookahead_ms=5000, max_delay_ms=30_000)
        await client.stream(samples(1.95))

        await client.send("finalize")

        await client.until("utterance_end")
        assert client.text().startswith(" w0 w1")


async def test_ping_is_answered_with_its_id(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server, talking(server) as client:
        await client.send("ping", id=1)
        assert await client.receive() == {"type": "pong", "id": 1}
        await client.start()
        await client.send("ping", id=2)

        assert (await client.until("pong"))["id"] == 2


async def test_no_partials_are_sent_where_none_are_wanted(tmp_path: Path) -> None:
    async with running(tmp_path, talk(4)) as server, talking(server) as client:
        await client.start(language="en", partials=False)
        await client.stream(samples(3.0))
        await client.send("end")

        assert await client.closed() == 1000

    assert "partial" not in {message["type"] for message in client.messages}


async def test_a_detected_language_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, talk(5)) as server, talking(server) as client:
        assert (await client.start())["language"] == "auto"
        await client.stream(samples(5.0))
        await client.send("end")

        assert (await client.until("language"))["language"] == "en"


@pytest.mark.parametrize(
    ("spoken", "wanted", "granted"),
    [("en", {}, "en"), ("tlh", {}, "auto"), (None, {}, "auto"), ("de", {"language": "en"}, "en")],
    ids=["spoken", "unknown", "none", "chosen"],
)
async def test_a_session_speaks_the_language_of_its_transcript(
    tmp_path: Path, spoken: str | None, wanted: dict[str, str], granted: str
) -> None:
    async with running(tmp_path, talk(1)) as server, talking(server) as client:
        store_of(server).library.create(TRANSCRIPT, started_ms=0, language=spoken)
        ready = await client.start(transcript=TRANSCRIPT, **wanted)

    assert ready["language"] == granted


async def test_a_delay_shorter_than_the_lookahead_is_lengthened(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server, talking(server) as client:
        ready = await client.start(lookahead_ms=2000, max_delay_ms=500)

    assert (ready["lookahead_ms"], ready["max_delay_ms"]) == (2000, 2000)


async def test_ready_says_what_was_granted(tmp_path: Path) -> None:
    async with (
        running(tmp_path, talk(1), diarization=False, lookahead_ms=900) as server,
        talking(server) as client,
    ):
        ready = await client.start(
            diarization_latency_ms=2000, finals="utterance", hotwords=["Trax"]
        )

    assert ready["lookahead_ms"] == 900
    assert ready["diarization"] is False
    assert ready["diarization_latency_ms"] is None
    assert ready["finals"] == "utterance"
    models = ready["models"]
    assert isinstance(models, dict)
    assert models["diarizer"] is None
    limits = ready["limits"]
    assert isinstance(limits, dict)
    assert limits["message_bytes"] == server.settings.message_bytes


@pytest.mark.slow
async def test_the_lag_is_reported_about_once_a_second(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server, talking(server) as client:
        await client.start()
        await client.stream(samples(2.0))

        stats = await client.until("stats")

    assert stats["audio_ms"] == 2000
    assert stats["lag_ms"] == int(str(stats["audio_ms"])) - int(str(stats["processed_ms"]))


async def test_silence_has_no_words(tmp_path: Path) -> None:
    async with running(tmp_path, "[]") as server, talking(server) as client:
        await client.start()
        await client.stream(bytes(64_000))
        await client.send("end")

        assert await client.closed() == 1000

    assert client.messages[-1] == {
        "type": "done",
        "audio_ms": 2000,
        "utterances": 0,
        "words": 0,
        "speakers": 0,
        "corrections": 0,
    }


async def test_a_session_without_audio_is_done_at_once(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server, talking(server) as client:
        await client.start()
        await client.send("end")
        await client.send("end")

        assert await client.closed() == 1000
