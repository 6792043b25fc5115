"""How long words take, with several people speaking at once in real time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from loadtest.clients import Client, Granted, Heard
from loadtest.diarization import DiarizationErrors, diarization_errors, turns_of_words
from loadtest.distribution import Distribution
from loadtest.errors import LoadtestError
from loadtest.measured_server import Measurable, Usage, sampled
from loadtest.recordings import Recording
from loadtest.scoring import Token, WordErrors, align_tokens, tokens_said
from loadtest.tasks import grouped
from loadtest.word_latency import WordLatency, word_latencies
from trax_client import Event

REAL_TIME_LAG_S = 5.0
"""A server keeps real time when it is done so soon after the audio. It is a second or two behind in
any case: the present window, words that wait for their look-ahead, and whatever corrects them."""

WatchStream = Callable[[int, Event], None]
"""Told each event of each stream, with the stream's number."""


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What one client saw; fields as in `Heard` and `LatencyReport`.

    Attributes:
        speakers: Wrong speakers of its final words, by turns made of them; `None` where they are
            not told apart, or nobody knows the truth.
    """

    final_s: Distribution | None
    shown_s: Distribution | None
    words: int
    retracted: int
    corrections: int
    live: WordErrors | None
    corrected: WordErrors | None
    speakers: DiarizationErrors | None
    complete: bool
    lag_at_end_s: float | None
    done_after_s: float
    sent_late_s: float

    @property
    def real_time(self) -> bool:
        """Whether the server kept up, and heard all of it: none is done before the audio is."""
        return self.complete and 0 <= self.done_after_s <= REAL_TIME_LAG_S


@dataclass(frozen=True, slots=True)
class ServerReport:
    """What the server used while clients spoke.

    Attributes:
        cpu_per_audio_s: Processor seconds for each second of each client's audio.
        peak_rss_bytes: Memory at most, looked at every `SAMPLE_S`.
    """

    cpu_per_audio_s: float
    peak_rss_bytes: int


@dataclass(frozen=True, slots=True)
class LatencyReport:
    """What all clients saw.

    Attributes:
        recording: What they spoke.
        audio_s: Its length.
        granted: What the sessions were.
        truth: Whether the ends of words are known; else they are as the recognizer says.
        final_s: From the end of a word to its final, of all clients' words that were right.
        shown_s: From the end of a word to the first partial or final that shows it, likewise.
        streams: Each client.
        server: What it used; `None` when it is not ours to look at.
    """

    recording: str
    audio_s: float
    granted: Granted
    truth: bool
    final_s: Distribution | None
    shown_s: Distribution | None
    streams: tuple[StreamReport, ...]
    server: ServerReport | None

    @property
    def words(self) -> int:
        """Final words of all clients."""
        return sum(stream.words for stream in self.streams)

    @property
    def retracted(self) -> int:
        """Words that were shown and taken back, of all clients."""
        return sum(stream.retracted for stream in self.streams)

    @property
    def corrections(self) -> int:
        """Corrections, of all clients."""
        return sum(stream.corrections for stream in self.streams)

    @property
    def live(self) -> WordErrors | None:
        """Errors of the final words, of all clients."""
        return _sum(stream.live for stream in self.streams)

    @property
    def corrected(self) -> WordErrors | None:
        """Errors of the words that stood at the end, of all clients."""
        return _sum(stream.corrected for stream in self.streams)

    @property
    def speakers(self) -> DiarizationErrors | None:
        """Wrong speakers of the final words, of all clients."""
        known = [stream.speakers for stream in self.streams if stream.speakers is not None]
        return reduce(add, known) if known else None

    @property
    def real_time(self) -> bool:
        """Whether the server kept up with all clients."""
        return all(stream.real_time for stream in self.streams)


async def measure_latency(
    recording: Recording,
    client: Client,
    streams: int,
    stagger_s: float,
    server: Measurable | None,
    watch: WatchStream,
) -> LatencyReport:
    """Let several clients speak a recording, each beginning a little after the one before.

    Args:
        recording: What they speak.
        client: How each of them does.
        streams: How many there are.
        stagger_s: How long after each other they begin: people do not speak in chorus.
        server: To look at what it uses, if that can be seen from here.
        watch: Told what comes.

    Raises:
        TraxError: A session failed, or was refused.
        LoadtestError: Likewise, of another server; or nobody knows when words end.
    """
    used: list[Usage] = []
    async with sampled(server, used.append), grouped() as group:
        clients = [
            group.create_task(_join(number, stagger_s, recording, client, watch))
            for number in range(streams)
        ]
    heard = [each.result() for each in clients]
    said = None if recording.words is None else tokens_said(recording.words)
    if said is None and not heard[0].timed:
        raise LoadtestError(
            f"{recording.name}: a .words.json expected beside it: "
            f"{heard[0].granted.recognizer} does not say when words end"
        )
    latencies = [word_latencies(each.words, said) for each in heard]
    everyone = [latency for each in latencies for latency in each]
    return LatencyReport(
        recording=recording.name,
        audio_s=recording.duration_s,
        granted=heard[0].granted,
        truth=said is not None,
        final_s=Distribution.of(latency.final_s for latency in everyone),
        shown_s=Distribution.of(latency.shown_s for latency in everyone),
        streams=tuple(
            _report(each, mine, said, recording)
            for each, mine in zip(heard, latencies, strict=True)
        ),
        server=_usage(used, streams * recording.duration_s),
    )


async def _join(
    number: int, stagger_s: float, recording: Recording, client: Client, watch: WatchStream
) -> Heard:
    await asyncio.sleep(number * stagger_s)
    return await client(recording, lambda event: watch(number, event))


def _report(
    heard: Heard,
    latencies: Sequence[WordLatency],
    said: Sequence[Token] | None,
    recording: Recording,
) -> StreamReport:
    finals = [word.token for word in heard.words]
    return StreamReport(
        final_s=Distribution.of(latency.final_s for latency in latencies),
        shown_s=Distribution.of(latency.shown_s for latency in latencies),
        words=len(finals),
        retracted=heard.retracted,
        corrections=heard.corrections,
        live=None if said is None else align_tokens(said, finals).errors,
        corrected=None if said is None else align_tokens(said, heard.standing).errors,
        speakers=_speakers(heard, recording),
        complete=heard.complete,
        lag_at_end_s=heard.lag_at_end_s,
        done_after_s=heard.done_after_s,
        sent_late_s=heard.sent_late_s,
    )


def _speakers(heard: Heard, recording: Recording) -> DiarizationErrors | None:
    if recording.turns is None or not heard.timed or not heard.granted.diarization:
        return None
    turns = turns_of_words(heard.standing)
    return diarization_errors(recording.turns, turns, recording.duration_s)


def _usage(used: Sequence[Usage], audio_s: float) -> ServerReport | None:
    if not used:
        return None
    cpu_s = used[-1].cpu_s - used[0].cpu_s
    return ServerReport(cpu_s / audio_s, max(each.rss_bytes for each in used))


def _sum(errors: Iterable[WordErrors | None]) -> WordErrors | None:
    known = [each for each in errors if each is not None]
    return reduce(add, known) if known else None
