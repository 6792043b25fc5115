"""Whisper in CTranslate2, fed windows no longer than they need to be.

Whisper was trained on 30 s windows, and everybody pads to that; but the encoder takes any length,
and costs 67 ms at 10 s instead of 617 (base, one thread). What goes wrong with short windows is
known: without enough silence after the speech the decoder never ends the text and loops. So a
window is padded to at least 10 s and by at least 1 s of silence, the text is capped at a speaking
rate nobody exceeds, and a window that hits the cap is heard again at the full 30 s. Measured on
460 words of LibriSpeech with base: 2.2 % word errors, as padded to 30 s, at 0.045 instead of 0.152
CPU seconds a second of audio (repeat with `python -m loadtest accuracy`).

A live window is decoded greedily without timestamps, and without forcing what is final already as
its beginning: that costs as much as decoding it (forced tokens are not prefilled), and ends the
text early (on the clean talk of two 18.5 % live word errors with, 11.0 % without). A whole
utterance is decoded by beam search with timestamps, which tell where the model stopped short of
the end: without them it skips sentences of several speakers. The text before is not given as a
prompt: it helped one talk of three and cost another half of its accuracy.

A search, which need not be quick, has 30 s in any case, and behind the audio no silence but
nothing: features of zero, as faster-whisper has them. It goes on from the end of the last word,
with less behind. On the three talks of `tests/data` (964 words), in windows of up to 28 s, this
leaves 124 errors with timestamps; with silence behind, at 30 s or as short as above, it leaves 156,
as more is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, assert_never

import numpy as np
from ctranslate2 import StorageView, set_random_seed
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_compression_ratio, merge_punctuations

from streaming.core.domain import SAMPLE_RATE, DetectedLanguage, Pcm, Permille, Samples, Span, Word
from streaming.core.ports import Effort, RecognitionWindow, Search, Transcription, Way
from streaming.engines.decoding import (
    LONGEST_WINDOW,
    MOST_SEEKS,
    SHORTEST_REST,
    TOKENS_FOR_TIMESTAMPS,
    after,
    is_whole,
    padded_length,
    rest_length,
    seek,
    token_cap,
)
from streaming.errors import EngineError

MOST_TOKENS = 448
"""Length of Whisper's text context, prompt included."""

MOST_CONTEXT_TOKENS = 120
"""What hotwords may take of it."""

BEAMS = 5
"""Width of the search in an utterance pass: 11 instead of 6-9 ms a token (base)."""

MOST_SEARCHES = 12
"""A window is searched at most so many times, each time from the end of the last word."""

SEED = 1
"""Of what is sampled where beam search fails."""

SHORTEST_SEARCH = SAMPLE_RATE
"""What follows the last word is not searched when it is shorter: Whisper says thanks to it."""

NO_SPEECH = 0.6
NO_CONFIDENCE = -1.0
"""A window with at least this probability of no speech and at most this mean log-probability
holds no speech; repetition that compresses better than `REPETITIVE` is no text. All three are
Whisper's own thresholds (Radford et al. 2022, section 4.5)."""

REPETITIVE = 2.4

BEFORE_WORD = "\"'“¿([{-"
AFTER_WORD = "\"'.。,，!！?？:：”)]}、"
"""Punctuation that belongs to the word after or before it (openai/whisper: timing.py)."""


class WhisperRecognizer:
    """A `Recognizer`: one loaded Whisper model, called by up to `workers` threads at once."""

    def __init__(
        self,
        model: str | Path,
        *,
        device: str = "cpu",
        compute_type: str = "int8",
        workers: int = 2,
    ) -> None:
        """Load a model; takes about a second for base.

        Args:
            model: Folder of a CTranslate2 model, or a name that faster-whisper resolves.
            device: `cpu`, `cuda` or `auto`.
            compute_type: As CTranslate2 names it; `int8` means int8_float32 on a CPU.
            workers: Calls that run in parallel, one thread each. Two workers of one thread do
                twice the work of one worker of two threads (facts measured on two cores).

        Raises:
            EngineError: The model cannot be loaded as asked.
        """
        self._load = partial(
            WhisperModel, str(model), device=device, compute_type=compute_type, cpu_threads=1
        )
        try:
            self._whisper: WhisperModel = self._load(num_workers=workers)
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineError(
                f"a Whisper model for device {device}, compute type {compute_type} expected, "
                f"but {model} does not load: {error}"
            ) from error
        self._tokenizer = lru_cache(maxsize=None)(self._new_tokenizer)

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of the languages the model knows."""
        return frozenset(self._whisper.supported_languages)

    def recognize(self, windows: Sequence[RecognitionWindow]) -> Sequence[Transcription]:
        """Recognise windows one after another.

        Args:
            windows: Each at most 30 s. A longer one is refused.

        Raises:
            ValueError: A window is longer than 30 s.
        """
        return [self._recognize(window) for window in windows]

    def _recognize(self, window: RecognitionWindow) -> Transcription:
        if len(window.pcm) > LONGEST_WINDOW:
            raise ValueError(f"a window of at most 30 s expected, got {len(window.pcm)} samples")
        search = window.effort is Effort.SEARCH
        encoding = self._encode_bare(window.pcm) if search else self._encode(window.pcm)
        language = self._detect(encoding) if window.language is None else None
        tokenizer = self._tokenizer(window.language if language is None else language.code)
        context = _context(window.hotwords, tokenizer)
        match window.effort:
            case Effort.LIVE:
                return Transcription(self._live(window, encoding, context, tokenizer), language)
            case Effort.UTTERANCE:
                return Transcription(self._whole(window, encoding, context, tokenizer), language)
            case Effort.SEARCH:
                prompt = _context(window.hotwords, tokenizer, window.before)
                read = partial(self._read, window, encoding, prompt, tokenizer)
                first, *others = map(read, window.search.ways)
                return Transcription(
                    words=first.words,
                    language=language,
                    others=tuple(reading.words for reading in others),
                    believed=all(reading.believed for reading in (first, *others)),
                )
            case _:
                assert_never(window.effort)

    def _live(
        self,
        window: RecognitionWindow,
        encoding: StorageView,
        context: list[int],
        tokenizer: Tokenizer,
    ) -> tuple[Word, ...]:
        """Decode once, greedily, without timestamps."""
        start, cap = [*tokenizer.sot_sequence, tokenizer.no_timestamps], token_cap(len(window.pcm))
        decode = partial(self._decode, context=context, start=start, beams=1, cap=cap)
        tokens = decode(encoding)
        if len(tokens) >= cap or _repetitive(tokenizer.decode(tokens)):
            encoding = self._encode(window.pcm, LONGEST_WINDOW)
            tokens = decode(encoding)
        aligned = self._align(encoding, tokens, window.pcm, tokenizer)
        return self._words(aligned, window, Samples(0))

    def _whole(
        self,
        window: RecognitionWindow,
        encoding: StorageView,
        context: list[int],
        tokenizer: Tokenizer,
    ) -> tuple[Word, ...]:
        """Decode with timestamps, and again from where the text stopped short of the end."""
        words: list[Word] = []
        offset = 0
        for _ in range(MOST_SEEKS):
            pcm = window.pcm[offset:]
            start, cap = list(tokenizer.sot_sequence), token_cap(len(pcm)) + TOKENS_FOR_TIMESTAMPS
            decode = partial(self._decode, context=context, start=start, beams=BEAMS, cap=cap)
            tokens = decode(encoding)
            if len(tokens) >= cap or _repetitive(tokenizer.decode(tokens)):
                encoding = self._encode(pcm, LONGEST_WINDOW)
                tokens = decode(encoding)
            stopped = seek(tokens, tokenizer.timestamp_begin)
            heard = tokens if stopped is None else tokens[: stopped.tokens]
            text = [token for token in heard if token < tokenizer.eot]
            aligned = self._align(encoding, text, pcm, tokenizer)
            words += after(words, self._words(aligned, window, Samples(offset)))
            if stopped is None or len(pcm) - stopped.samples < SHORTEST_REST:
                break
            offset += stopped.samples
            encoding = self._encode(window.pcm[offset:])
        return tuple(words)

    def _read(
        self,
        window: RecognitionWindow,
        encoding: StorageView,
        context: list[int],
        tokenizer: Tokenizer,
        way: Way,
    ) -> _Reading:
        """Search a window in one way, and again from the end of its last word, to the end."""
        timed = way is Way.TIMED
        start = [*tokenizer.sot_sequence, *([] if timed else [tokenizer.no_timestamps])]
        words: list[Word] = []
        believed, offset = True, 0
        for _ in range(MOST_SEARCHES):
            pcm = window.pcm[offset:]
            cap = token_cap(len(pcm)) + (TOKENS_FOR_TIMESTAMPS if timed else 0)
            asked = _Asked(pcm, [*context, *start], cap, window.search)
            heard = self._search(asked, encoding, tokenizer)
            believed = believed and heard.good and heard.temperature == 0
            stopped = seek(heard.tokens, tokenizer.timestamp_begin) if timed else None
            tokens = heard.tokens if stopped is None else heard.tokens[: stopped.tokens]
            text = [token for token in tokens if token < tokenizer.eot]
            aligned = self._align(encoding, text, pcm, tokenizer)
            found = self._words(aligned, window, Samples(offset))
            words += after(words, found)
            if not found or (timed and is_whole(heard.tokens, tokenizer.timestamp_begin)):
                break
            reached = found[-1].span.end - window.start
            if reached <= offset or len(window.pcm) - reached < SHORTEST_SEARCH:
                break
            offset = reached
            rest = window.pcm[offset:]
            encoding = self._encode_bare(rest, rest_length(len(rest)))
        return _Reading(tuple(words), believed)

    def _search(self, asked: _Asked, encoding: StorageView, tokenizer: Tokenizer) -> _Hypothesis:
        """Decode until the text is believed.

        CTranslate2 seeds each of its threads once, so that what is sampled at a temperature is the
        same every time only in a model that was loaded for it.
        """
        tried: list[_Hypothesis] = []
        sampler: WhisperModel | None = None
        for temperature in asked.search.temperatures:
            if temperature == 0:
                tried.append(self._try(self._whisper, asked, encoding, tokenizer))
            else:
                if sampler is None:
                    set_random_seed(SEED)
                    sampler = self._load(num_workers=1)
                tried.append(self._try(sampler, asked, encoding, tokenizer, temperature))
            if tried[-1].good:
                return tried[-1]
        return max(tried, key=lambda heard: (not heard.repetitive, heard.probability))

    @staticmethod
    def _try(
        whisper: WhisperModel,
        asked: _Asked,
        encoding: StorageView,
        tokenizer: Tokenizer,
        temperature: float = 0.0,
    ) -> _Hypothesis:
        """Decode once: by beam search, or by taking the best of a few samples."""
        search = asked.search
        how: dict[str, Any] = {"beam_size": search.beams}
        if temperature > 0:
            how = {
                "beam_size": 1,
                "num_hypotheses": search.beams,
                "sampling_topk": 0,
                "sampling_temperature": temperature,
            }
        result = whisper.model.generate(
            encoding,
            [asked.prompt],
            max_length=min(MOST_TOKENS, len(asked.prompt) + asked.cap),
            return_scores=True,
            return_no_speech_prob=True,
            **how,
        )[0]
        tokens, probability = list(result.sequences_ids[0]), float(result.scores[0])
        likely = probability >= search.log_probability
        if not likely and result.no_speech_prob >= search.no_speech:
            return _Hypothesis([], temperature, probability, good=True, repetitive=False)
        text = tokenizer.decode(tokens)
        repetitive = bool(text) and get_compression_ratio(text) > search.compression
        good = likely and not repetitive and len(tokens) < asked.cap
        return _Hypothesis(tokens, temperature, probability, good=good, repetitive=repetitive)

    def _encode(self, pcm: Pcm, total: int | None = None) -> StorageView:
        """Return the encoder's output for `pcm` padded with silence to `total` samples."""
        if total is None:
            total = padded_length(len(pcm))
        extractor = self._whisper.feature_extractor
        features = extractor(np.pad(pcm, (0, total - len(pcm))))
        return self._whisper.encode(features[:, : total // extractor.hop_length])

    def _encode_bare(self, pcm: Pcm, total: int = LONGEST_WINDOW) -> StorageView:
        """Return the encoder's output for `pcm`, with nothing behind it up to `total` samples."""
        extractor = self._whisper.feature_extractor
        features = extractor(pcm)[:, : len(pcm) // extractor.hop_length]
        missing = total // extractor.hop_length - features.shape[1]
        return self._whisper.encode(np.pad(features, ((0, 0), (0, missing))))

    def _detect(self, encoding: StorageView) -> DetectedLanguage:
        if not self._whisper.model.is_multilingual:
            return DetectedLanguage("en", Permille(1000))
        token, probability = self._whisper.model.detect_language(encoding)[0][0]
        return DetectedLanguage(token.strip("<|>"), Permille(round(1000 * probability)))

    def _decode(
        self,
        encoding: StorageView,
        *,
        context: list[int],
        start: list[int],
        beams: int,
        cap: int,
    ) -> list[int]:
        """Return the tokens that follow `start`, without the end of text: at most about `cap`.

        None when the model thinks that nobody speaks.
        """
        prompt = [*context, *start]
        result = self._whisper.model.generate(
            encoding,
            [prompt],
            beam_size=beams,
            max_length=min(MOST_TOKENS, len(prompt) + cap),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        if result.no_speech_prob >= NO_SPEECH and result.scores[0] <= NO_CONFIDENCE:
            return []
        return list(result.sequences_ids[0])

    def _align(
        self, encoding: StorageView, tokens: list[int], pcm: Pcm, tokenizer: Tokenizer
    ) -> list[dict[str, Any]]:
        """Return the words of `tokens` with their times, from cross-attention.

        None in less audio than one frame: an utterance may be cut right where its audio ends.
        """
        hop = self._whisper.feature_extractor.hop_length
        if not tokens or len(pcm) < hop:
            return []
        frames = min(len(pcm) // hop + 1, encoding.shape[1] * 2)
        words = list(self._whisper.find_alignment(tokenizer, [tokens], encoding, frames)[0])
        merge_punctuations(words, BEFORE_WORD, AFTER_WORD)
        return [word for word in words if word["word"]]

    def _words(
        self, aligned: list[dict[str, Any]], window: RecognitionWindow, offset: Samples
    ) -> tuple[Word, ...]:
        end = Samples(window.start + len(window.pcm))
        return tuple(_word(each, Samples(window.start + offset), end) for each in aligned)

    def _new_tokenizer(self, language: str | None) -> Tokenizer:
        multilingual = self._whisper.model.is_multilingual
        return Tokenizer(
            self._whisper.hf_tokenizer, multilingual, task="transcribe", language=language
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be decoded: text for `pcm` after `prompt`, of at most `cap` tokens."""

    pcm: Pcm
    prompt: list[int]
    cap: int
    search: Search


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


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one way of writing a window down gave, and whether all of it was good at once."""

    words: tuple[Word, ...]
    believed: bool


def _repetitive(text: str) -> bool:
    return bool(text) and get_compression_ratio(text) > REPETITIVE


def _context(hotwords: Sequence[str], tokenizer: Tokenizer, before: str = "") -> list[int]:
    """Return what stands before the start of the transcript: words to favour, text before."""
    favoured = tokenizer.encode(" " + ", ".join(hotwords)) if hotwords else []
    said = tokenizer.encode(" " + before.strip()) if before else []
    tokens = [*favoured[:MOST_CONTEXT_TOKENS], *said[-MOST_CONTEXT_TOKENS:]]
    return [tokenizer.sot_prev, *tokens] if tokens else []


def _word(aligned: dict[str, Any], offset: Samples, end: Samples) -> Word:
    start, stop = (
        min(Samples(offset + round(float(aligned[edge]) * SAMPLE_RATE)), end)
        for edge in ("start", "end")
    )
    confidence = Permille(round(1000 * float(aligned["probability"])))
    return Word(aligned["word"], Span(start, max(start, stop)), confidence)
