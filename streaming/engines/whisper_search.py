"""Whisper hearing a window for good: as often, and in as many ways, as a `Search` says.

It has 30 s in any case, and behind the audio no silence but nothing: features of zero, as
faster-whisper has them. It goes on from the end of the last word, with less behind. On the three
talks of `tests/data` (964 words), in windows of up to 28 s, this leaves 124 errors with timestamps;
with silence behind, at 30 s or as short as a live window, it leaves 156, as more is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
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
    LoadedWhisper,
    Tokenizer,
    context_of,
    is_repetitive,
    words_of,
)

MOST_SEARCHES = 12
"""A window is searched at most so many times, each time from the end of the last word."""

SHORTEST_SEARCH = SAMPLE_RATE
"""What follows the last word is not searched when it is shorter: Whisper says thanks to it."""


def search(model: LoadedWhisper, window: RecognitionWindow) -> Transcription:
    """Hear a window as its `search` says."""
    encoding = model.encode_bare(window.pcm)
    language = model.detect(encoding) if window.language is None else None
    tokenizer = model.tokenizer(window.language if language is None else language.code)
    read = partial(_Reader(model, window, tokenizer).read, encoding)
    first, *others = map(read, window.search.ways)
    return Transcription(
        words=first.words,
        language=language,
        others=tuple(reading.words for reading in others),
        believed=all(reading.believed for reading in (first, *others)),
    )


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
        self._model = model
        self._window = window
        self._tokenizer = tokenizer
        self._context = context_of(window.hotwords, tokenizer, window.before)

    def read(self, encoding: Encoding, way: Way) -> _Reading:
        """Search the window in one way, and again from the end of its last word, to the end."""
        window, begin = self._window, self._tokenizer.timestamp_begin
        timed = way is Way.TIMED
        words: list[Word] = []
        believed, offset = True, 0
        for _ in range(MOST_SEARCHES):
            pcm = window.pcm[offset:]
            heard = self._search(encoding, pcm, timed=timed)
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
        window, tokenizer = self._window, self._tokenizer
        text = [token for token in tokens if token < tokenizer.eot]
        (aligned,) = self._model.align(encoding, [text], [pcm], tokenizer)
        start, end = window.start + offset, window.start + len(window.pcm)
        return words_of(aligned, Samples(start), Samples(end))

    def _search(self, encoding: Encoding, pcm: Pcm, *, timed: bool) -> _Hypothesis:
        """Decode until the text is believed."""
        tried: list[_Hypothesis] = []
        sampler: LoadedWhisper | None = None
        for temperature in self._window.search.temperatures:
            if temperature > 0 and sampler is None:
                sampler = self._model.sampler()
            model = self._model if sampler is None or temperature == 0 else sampler
            tried.append(self._try(model, encoding, pcm, temperature, timed=timed))
            if tried[-1].good:
                return tried[-1]
        return max(tried, key=lambda heard: (not heard.repetitive, heard.probability))

    def _try(
        self,
        model: LoadedWhisper,
        encoding: Encoding,
        pcm: Pcm,
        temperature: float,
        *,
        timed: bool,
    ) -> _Hypothesis:
        """Decode once: by beam search, or by taking the best of a few samples."""
        search, tokenizer = self._window.search, self._tokenizer
        start = [*tokenizer.sot_sequence, *([] if timed else [tokenizer.no_timestamps])]
        cap = token_cap(len(pcm)) + (TOKENS_FOR_TIMESTAMPS if timed else 0)
        (result,) = model.generate(
            encoding, [*self._context, *start], cap, **_how(search, temperature)
        )
        tokens, probability = list(result.sequences_ids[0]), float(result.scores[0])
        likely = probability >= search.log_probability
        if not likely and result.no_speech_prob >= search.no_speech:
            return _Hypothesis([], temperature, probability, good=True, repetitive=False)
        repetitive = is_repetitive(tokenizer.decode(tokens), search.compression)
        good = likely and not repetitive and len(tokens) < cap
        return _Hypothesis(tokens, temperature, probability, good=good, repetitive=repetitive)


def _how(search: Search, temperature: float) -> dict[str, Any]:
    if temperature == 0:
        return {"beam_size": search.beams}
    return {
        "beam_size": 1,
        "num_hypotheses": search.beams,
        "sampling_topk": 0,
        "sampling_temperature": temperature,
    }
