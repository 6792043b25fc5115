"""Tests of `loadtest.peers`: the protocols without sockets, then with a server that speaks them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve

from loadtest.clients import PIECE_BYTES
from loadtest.errors import LoadtestError
from loadtest.latency import LatencyReport, measure_latency
from loadtest.peers.calling import KINDS, Dialect, Peer
from loadtest.peers.deepgram import Deepgram
from loadtest.peers.messages import PeerFailed
from loadtest.peers.screen import Screen
from loadtest.peers.whisperlivekit import WhisperLiveKit
from loadtest.recordings import Recording, TrueWord
from loadtest.scoring import Token
from loadtest.word_latency import HeardWord

PIECE_S = 0.1


def tokens(text: str) -> list[Token]:
    return [Token(word, 0.0, 0.0, None) for word in text.split()]


def seen(screen: Screen) -> list[tuple[str, float, float]]:
    return [(word.token.text, word.shown_at_s, word.at_s) for word in screen.words]


def test_a_word_counts_from_when_it_was_first_shown_and_first_stood() -> None:
    screen = Screen()

    screen.show(1, [], tokens("so my"))
    screen.show(2, tokens("so"), tokens("my fellow"))
    screen.show(3, tokens("so my fellow"), [])

    assert seen(screen) == [("so", 1, 2), ("my", 1, 3), ("fellow", 2, 3)]
    assert screen.retracted == 0


def test_a_word_before_them_leaves_later_words_what_they_were() -> None:
    screen = Screen()

    screen.show(1, tokens("my fellow"), [])
    screen.show(2, tokens("so my fellow"), [])

    assert seen(screen) == [("so", 2, 2), ("my", 1, 1), ("fellow", 1, 1)]
    assert screen.retracted == 0


def test_a_word_that_changes_after_it_stood_counts_anew_and_as_taken_back() -> None:
    screen = Screen()

    screen.show(1, tokens("so may fellow"), [])
    screen.show(2, tokens("so my fellow"), [])

    assert seen(screen) == [("so", 1, 1), ("my", 2, 2), ("fellow", 1, 1)]
    assert screen.retracted == 1


def update(standing: str, tentative: str = "") -> str:
    lines = [{"speaker": 1, "text": standing, "start": "0:00:00", "end": "0:00:01"}]
    return json.dumps({"status": "", "lines": lines, "buffer_transcription": tentative})


def results(*words: str, final: bool) -> str:
    timed = [
        {"word": word, "start": n * 0.5, "end": n * 0.5 + 0.4, "speaker": 0}
        for n, word in enumerate(words)
    ]
    channel = {"alternatives": [{"transcript": " ".join(words), "words": timed}]}
    return json.dumps({"type": "Results", "is_final": final, "channel": channel})


def test_lines_of_whisperlivekit_stand_and_its_buffer_may_change() -> None:
    dialect, screen = WhisperLiveKit(), Screen()

    assert not dialect.hear('{"type": "config", "useAudioWorklet": true}', 0.1, screen)
    assert not dialect.hear(update("", "And so"), 1, screen)
    assert not dialect.hear(update("And so,", " my fellow"), 2, screen)
    assert not dialect.hear(update("And so, my fellow"), 3, screen)
    assert dialect.hear('{"type": "ready_to_stop"}', 4, screen)

    assert seen(screen) == [("and", 1, 2), ("so", 1, 2), ("my", 2, 3), ("fellow", 2, 3)]


def test_final_results_of_deepgram_stand_and_others_replace_each_other() -> None:
    dialect, screen = Deepgram(), Screen()

    assert not dialect.hear('{"type": "Metadata"}', 0.1, screen)
    dialect.hear(results("and", "sew", final=False), 1, screen)
    dialect.hear(results("and", "so", final=True), 2, screen)
    dialect.hear(results("my", final=False), 3, screen)

    assert screen.words == (
        HeardWord(Token("and", 0.0, 0.4, "0"), 2, 1),
        HeardWord(Token("so", 0.5, 0.9, "0"), 2, 2),
    )
    assert screen.retracted == 1


@pytest.mark.parametrize("dialect", [WhisperLiveKit(), Deepgram()])
@pytest.mark.parametrize("message", ["", "{", "[]", "7", b"\xff", "[" * 100_000])
def test_what_is_no_message_ends_the_measurement(dialect: Dialect, message: str | bytes) -> None:
    with pytest.raises(PeerFailed, match="JSON"):
        dialect.hear(message, 1, Screen())


@pytest.mark.parametrize(
    ("dialect", "message"),
    [
        (WhisperLiveKit(), {"type": "error", "error": "full"}),
        (WhisperLiveKit(), {"lines": [], "error": "full"}),
        (Deepgram(), {"type": "Error", "description": "full"}),
    ],
)
def test_a_failure_is_told_in_the_words_of_the_peer(dialect: Dialect, message: object) -> None:
    with pytest.raises(PeerFailed, match="full"):
        dialect.hear(json.dumps(message), 1, Screen())


@pytest.mark.parametrize(
    "message",
    [
        {"type": "Results"},
        {"type": "Results", "is_final": True, "channel": []},
        {"type": "Results", "is_final": True, "channel": {"alternatives": [7]}},
        {"type": "Results", "is_final": True, "channel": {"alternatives": [{"words": [{}]}]}},
        {
            "type": "Results",
            "is_final": True,
            "channel": {"alternatives": [{"words": [{"word": "so", "start": "0", "end": None}]}]},
        },
        {"lines": None},
        {"lines": [None, {"text": None}, {"text": 7}], "buffer_transcription": 1},
    ],
)
def test_what_is_missing_in_a_message_is_no_word(message: object) -> None:
    for dialect in (WhisperLiveKit(), Deepgram()):
        screen = Screen()
        assert not dialect.hear(json.dumps(message), 1, screen)
        assert screen.words == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "lines",
                    "text",
                    "channel",
                    "alternatives",
                    "words",
                    "word",
                    "start",
                    "end",
                ]
            ),
            inner | st.just("Results"),
            max_size=4,
        )
    ),
    max_leaves=20,
)


@pytest.mark.slow
@given(st.lists(json_values, max_size=4))
def test_no_message_is_worse_than_a_failure(messages: list[object]) -> None:
    for make in KINDS.values():
        dialect, screen = make(), Screen()
        for at_s, message in enumerate(messages):
            try:
                dialect.hear(json.dumps(message), at_s, screen)
            except PeerFailed:
                break
        assert all(word.shown_at_s <= word.at_s for word in screen.words)


@pytest.mark.parametrize(
    "text", ["", "whisperlivekit", "other=ws://x", "deepgram=http://x", "ws://x"]
)
def test_a_peer_is_a_kind_and_where_it_listens(text: str) -> None:
    with pytest.raises(ValueError, match=r"^" + text):
        Peer.parse(text)


Say = Callable[[int], list[str]]
"""What a scripted server says when so many pieces of audio came, the last being the farewell."""


@asynccontextmanager
async def scripted(path: str, farewell: str | bytes, say: Say) -> AsyncIterator[str]:
    """Serve a peer that counts pieces of audio, on a port of its own."""

    async def converse(socket: ServerConnection) -> None:
        pieces = 0
        assert socket.request is not None
        assert socket.request.path.startswith(f"/{path}?")
        async for message in socket:
            if message == farewell:
                for each in say(-1):
                    await socket.send(each)
                return
            assert len(message) <= PIECE_BYTES
            pieces += 1
            for each in say(pieces):
                await socket.send(each)

    async with serve(converse, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/{path}"


SAID = (TrueWord("so", 0.0, 0.1, "A"), TrueWord("my", 0.2, 0.3, "A"))


def spoken(words: tuple[TrueWord, ...] | None = SAID) -> Recording:
    return Recording("r", Path("r.flac"), bytes(4 * PIECE_BYTES), words, None)


async def measured(peer: Peer, recording: Recording, streams: int = 1) -> LatencyReport:
    client = peer.client("en", None)
    async with asyncio.timeout(60):
        return await measure_latency(
            recording, client, streams, 0, peer.server(), lambda _stream, _event: None
        )


def whisperlivekit(pieces: int) -> list[str]:
    said = {
        1: [update("", "so")],
        3: [update("so", "my")],
        -1: [update("so my"), '{"type": "ready_to_stop"}'],
    }
    return said.get(pieces, [])


def deepgram(pieces: int) -> list[str]:
    said = {
        1: [results("so", final=False)],
        3: [results("so", final=True), results("my", final=False)],
        -1: [results("my", final=True), '{"type": "Metadata"}'],
    }
    return said.get(pieces, [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "path", "farewell", "say"),
    [
        ("whisperlivekit", "asr", b"", whisperlivekit),
        ("deepgram", "v1/listen", '{"type": "CloseStream"}', deepgram),
    ],
)
async def test_a_peer_is_measured_as_we_are(
    kind: str, path: str, farewell: str | bytes, say: Say
) -> None:
    async with scripted(path, farewell, say) as url:
        report = await measured(Peer(kind, url), spoken(), streams=2)

    assert report.live is not None
    assert (report.live.words, report.live.total) == (4, 0)
    assert report.final_s is not None
    # What came when the third piece had been spoken was final 0.2 s after its word ended.
    assert report.final_s.count == 4
    assert report.final_s.median >= PIECE_S
    assert report.server is not None
    assert all(stream.complete for stream in report.streams)


@pytest.mark.slow
async def test_a_peer_without_times_needs_a_truth_and_one_with_times_none() -> None:
    async with scripted("asr", b"", whisperlivekit) as url:
        with pytest.raises(LoadtestError, match="does not say when words end"):
            await measured(Peer("whisperlivekit", url), spoken(None))
    async with scripted("v1/listen", '{"type": "CloseStream"}', deepgram) as url:
        report = await measured(Peer("deepgram", url), spoken(None))

    assert report.final_s is not None
    assert report.final_s.count == 2


@pytest.mark.slow
async def test_a_peer_that_closes_early_has_failed() -> None:
    async def leave(socket: ServerConnection) -> None:
        await socket.recv()

    async with serve(leave, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        for kind in KINDS:
            with pytest.raises(PeerFailed):
                await measured(Peer(kind, f"ws://127.0.0.1:{port}/x"), spoken())


async def test_a_peer_that_is_not_there_is_named() -> None:
    with pytest.raises(PeerFailed, match=r"deepgram at ws://127\.0\.0\.1:9/"):
        await measured(Peer("deepgram", "ws://127.0.0.1:9/"), spoken())
