"""Whisper hearing a window for good: as often, and in as many ways, as a `Search` says.

It has 30 s in any case, and behind the audio no silence but nothing: features of zero, as
faster-whisper has them. It goes on from the end of the last word, with less behind. On the three
talks of `tests/data` (964 words), in windows of up to 28 s, this leaves 124 errors with timestamps;
with silence behind, at 30 s or as short as a live window, it leaves 156, as more is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streaming.core.domain import SAMPLE_RATE, Pcm, Samples, Word
from streaming.core.ports import RecognitionWindow, Search, Transcription, Way
from streaming.engines.decoding import (
    TOKENS_FOR_TIMESTAMPS,
    after,
    is_whole,
    rest_length,
    seek,
    token_cap,
)
from streaming.engines.whisper_model import (
    Encoding,
    Generated,
    LoadedWhisper,
    Tokenizer,
    context_of,
    is_repetitive,
    prompt_of,
    words_of,
)

MOST_SEARCHES = 12
"""A window is searched at most so many times, each time from the end of the last word."""

SHORTEST_SEARCH = SAMPLE_RATE
"""What follows the last word is not searched when it is shorter: Whisper says thanks to it."""


def search(model: LoadedWhisper, windows: Sequence[RecognitionWindow]) -> list[Transcription]:
    """Hear a window as its `search` says; or several that have all but their audio in common.

    Each way begins with all of them at once: of two, that takes three quarters of the time.
    """
    window = windows[0]
    encodings = [model.encode_bare(each.pcm) for each in windows]
    language, tokenizer = model.spoken(encodings[0], window.language)
    readers = [_Reader(model, each, tokenizer) for each in windows]
    readings: list[list[_Reading]] = [[] for _ in windows]
    for way in window.search.ways:
        begun = _begin(model, readers, encodings, way)
        for reader, encoding, first, read in zip(readers, encodings, begun, readings, strict=True):
            read.append(reader.read(encoding, way, first))
    return [
        Transcription(
            words=first.words,
            language=language,
            others=tuple(reading.words for reading in others),
            believed=all(reading.believed for reading in (first, *others)),
        )
        for first, *others in readings
    ]


def _begin(
    model: LoadedWhisper, readers: Sequence[_Reader], encodings: Sequence[Encoding], way: Way
) -> Sequence[_Hypothesis | None]:
    """Decode whole windows for the first time, if there are several."""
    search = readers[0].window.search
    if len(readers) == 1 or search.temperatures[0] > 0:
        return [None] * len(readers)
    caps = [_cap(reader.window.pcm, way) for reader in readers]
    results = model.generate(
        model.joined(encodings), readers[0].prompt(way), max(caps), **_how(search, 0.0)
    )
    return [
        reader.hypothesis(result, cap, 0.0)
        for reader, result, cap in zip(readers, results, caps, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one way of writing a window down gave, and whether all of it was good at once."""

    words: tuple[Word, ...]
    believed: bool


@dataclass(frozen=True, slots=True)
class _Hypothesis:
    """Text that was decoded.

    Attributes:
        tokens: Without the end of text; none when the model thinks that nobody speaks.
        temperature: At which.
        probability: Mean logarithm of a token's.
        good: Whether the guards of the search let it pass.
        repetitive: Whether it repeats itself.
    """

    tokens: list[int]
    temperature: float
    probability: float
    good: bool
    repetitive: bool


class _Reader:
    """Reads one window."""

    def __init__(
        self, model: LoadedWhisper, window: RecognitionWindow, tokenizer: Tokenizer
    ) -> None:
        self.window = window
        self._model = model
        self._tokenizer = tokenizer
        self._context = context_of(window.hotwords, tokenizer, window.before)

    def read(self, encoding: Encoding, way: Way, first: _Hypothesis | None) -> _Reading:
        """Search the window in one way, and again from the end of its last word, to the end.

        Args:
            encoding: Of the whole window.
            way: Which.
            first: What came of decoding it for the first time, if that was done.
        """
        window, begin = self.window, self._tokenizer.timestamp_begin
        timed = way is Way.TIMED
        words: list[Word] = []
        believed, offset = True, 0
        for _ in range(MOST_SEARCHES):
            pcm = window.pcm[offset:]
            heard = self._search(encoding, pcm, way, first)
            first = None
            believed = believed and heard.good and heard.temperature == 0
            stopped = seek(heard.tokens, begin) if timed else None
            tokens = heard.tokens if stopped is None else heard.tokens[: stopped.tokens]
            found = self._words(encoding, tokens, pcm, offset)
            words += after(words, found)
            if not found or (timed and is_whole(heard.tokens, begin)):
                break
            reached = found[-1].span.end - window.start
            if reached <= offset or len(window.pcm) - reached < SHORTEST_SEARCH:
                break
            offset = reached
            rest = window.pcm[offset:]
            encoding = self._model.encode_bare(rest, rest_length(len(rest)))
        return _Reading(tuple(words), believed)

    def _words(
        self, encoding: Encoding, tokens: Sequence[int], pcm: Pcm, offset: int
    ) -> tuple[Word, ...]:
        window, tokenizer = self.window, self._tokenizer
        text = [token for token in tokens if token < tokenizer.eot]
        (aligned,) = self._model.align(encoding, [text], [pcm], tokenizer)
        start, end = window.start + offset, window.start + len(window.pcm)
        return words_of(aligned, Samples(start), Samples(end))

    def _search(
        self, encoding: Encoding, pcm: Pcm, way: Way, first: _Hypothesis | None
    ) -> _Hypothesis:
        """Decode until the text is believed."""
        tried = [] if first is None else [first]
        sampler: LoadedWhisper | None = None
        for temperature in self.window.search.temperatures[len(tried) :]:
            if tried and tried[-1].good:
                break
            if temperature > 0 and sampler is None:
                sampler = self._model.sampler()
            model = self._model if sampler is None or temperature == 0 else sampler
            tried.append(self._try(model, encoding, pcm, temperature, way))
        if tried[-1].good:
            return tried[-1]
        return max(tried, key=lambda heard: (not heard.repetitive, heard.probability))

    def _try(
        self, model: LoadedWhisper, encoding: Encoding, pcm: Pcm, temperature: float, way: Way
    ) -> _Hypothesis:
        """Decode once: by beam search, or by taking the best of a few samples."""
        cap, how = _cap(pcm, way), _how(self.window.search, temperature)
        (result,) = model.generate(encoding, self.prompt(way), cap, **how)
        return self.hypothesis(result, cap, temperature)

    def prompt(self, way: Way) -> list[int]:
        """Return what stands before the text."""
        return prompt_of(self._context, self._tokenizer, timed=way is Way.TIMED)

    def hypothesis(self, result: Generated, cap: int, temperature: float) -> _Hypothesis:
        """Return what was decoded, at most about `cap` tokens, and whether it is good."""
        search = self.window.search
        tokens, probability = list(result.sequences_ids[0][:cap]), float(result.scores[0])
        likely = probability >= search.log_probability
        if not likely and result.no_speech_prob >= search.no_speech:
            return _Hypothesis([], temperature, probability, good=True, repetitive=False)
        repetitive = is_repetitive(self._tokenizer.decode(tokens), search.compression)
        good = likely and not repetitive and len(tokens) < cap
        return _Hypothesis(tokens, temperature, probability, good=good, repetitive=repetitive)


def _cap(pcm: Pcm, way: Way) -> int:
    return token_cap(len(pcm)) + (TOKENS_FOR_TIMESTAMPS if way is Way.TIMED else 0)


def _how(search: Search, temperature: float) -> dict[str, Any]:
    if temperature == 0:
        return {"beam_size": search.beams}
    return {
        "beam_size": 1,
        "num_hypotheses": search.beams,
        "sampling_topk": 0,
        "sampling_temperature": temperature,
    }
