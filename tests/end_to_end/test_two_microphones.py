"""Two laptops in one room: real models hear one conversation twice, and it is written once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from loadtest.measured_server import MeasuredServer, running_server
from loadtest.normalization import normalize
from loadtest.recordings import CONVERSATIONS, Recording, read_recording
from loadtest.scoring import align
from streaming.core.domain import SAMPLE_RATE
from trax_client import connect
from trax_client.library import Library

pytestmark = pytest.mark.models

SECONDS = 60
PIECE_S = 0.5
FARTHER = 0.3
"""How loud the second microphone hears."""

NOISE_BELOW_DB = 15.0
"""How far its noise lies below the speech."""

PASSES = '[[stage]]\nname = "utterance"\nwhen = "utterance"\n'


def farther(audio: bytes) -> bytes:
    """Return what a microphone hears that is farther away, in a noisier place."""
    clean = FARTHER * np.frombuffer(audio, "<i2").astype(np.float64)
    level = np.sqrt(np.mean(clean**2)) * 10 ** (-NOISE_BELOW_DB / 20)
    noise = np.random.default_rng(7).standard_normal(len(clean)) * level
    heard: bytes = np.clip(clean + noise, -32768, 32767).astype("<i2").tobytes()
    return heard


async def heard(
    server: MeasuredServer, microphones: Sequence[bytes], *, diarization: bool = False
) -> str:
    """Return the document after microphones heard what they did at once."""
    library = Library(server.url)
    transcript = (await library.create()).id
    begun = asyncio.Barrier(len(microphones))

    async def speak(audio: bytes) -> None:
        async with connect(
            server.url,
            transcript=transcript,
            language="en",
            diarization=diarization,
            partials=False,
        ) as session:

            async def send() -> None:
                await begun.wait()
                size = round(PIECE_S * SAMPLE_RATE) * 2
                for first in range(0, len(audio), size):
                    await session.send(audio[first : first + size])
                    await begun.wait()  # so that nobody is ahead of the others
                await session.end()

            sending = asyncio.create_task(send())
            async for _ in session:
                pass
            await sending

    async with asyncio.TaskGroup() as speaking:
        for audio in microphones:
            speaking.create_task(speak(audio))
    reading = await library.read(transcript)
    await library.delete(transcript)
    return "\n".join(turn.text for turn in reading.turns)


def rate(recording: Recording, text: str) -> float:
    """Return the word error rate of a document."""
    assert recording.words is not None
    said = [
        token for word in recording.words if word.end_s < SECONDS for token in normalize(word.text)
    ]
    return align(said, normalize(text)).errors.rate


async def test_what_two_microphones_hear_is_written_once(tmp_path: Path) -> None:
    recording = read_recording(CONVERSATIONS / "pub-2spk-clean.flac")
    near = recording.audio[: SECONDS * SAMPLE_RATE * 2]
    passes = tmp_path / "passes.toml"
    passes.write_text(PASSES)
    async with running_server(("--passes", str(passes))) as server:
        one = await heard(server, [near])
        two = await heard(server, [near, farther(near)])

    assert rate(recording, two) <= rate(recording, one) + 0.05
