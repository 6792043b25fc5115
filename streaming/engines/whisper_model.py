"""One loaded Whisper model in CTranslate2: audio to encoding, encoding to text, text to times.

The two ways of hearing with it are `streaming.engines.whisper` and
`streaming.engines.whisper_search`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from ctranslate2 import StorageView, set_random_seed
from ctranslate2.models import WhisperGenerationResult
from faster_whisper import WhisperModel, download_model
from faster_whisper import tokenizer as tokenizers
from faster_whisper.transcribe import get_compression_ratio, merge_punctuations

from streaming.core.domain import SAMPLE_RATE, DetectedLanguage, Pcm, Permille, Samples, Span, Word
from streaming.engines.decoding import LONGEST_WINDOW, SAMPLES_PER_TICK, padded_length
from streaming.engines.whisper_alignment import token_starts
from streaming.engines.whisper_decoder import Decoded, Prompt, TextDecoder
from streaming.engines.whisper_encoder import AudioEncoder, Encoded, Features
from streaming.engines.whisper_weights import Array, read_weights
from streaming.errors import EngineError

logger = logging.getLogger(__name__)

MOST_TOKENS = 448
"""Length of Whisper's text context, prompt included."""

MOST_CONTEXT_TOKENS = 120
"""What hotwords may take of it."""

FIRST_MERGE = ["\u0120", "t"]
"""The most frequent pair of all: a space, as tokenizers write it, and a "t"."""

INT8 = "int8_float32"
"""The compute type that our own networks have as well."""

SEED = 1
"""Of what is sampled where beam search fails."""

BEFORE_WORD = "\"'“¿([{-"
AFTER_WORD = "\"'.。,，!！?？:：”)]}、"
"""Punctuation that belongs to the word after or before it (openai/whisper: timing.py)."""

Tokenizer: TypeAlias = tokenizers.Tokenizer
"""From text of one language to tokens, and back."""

Encoding: TypeAlias = StorageView
"""What the encoder makes of one stretch of audio, or of several of one length."""

Generated: TypeAlias = WhisperGenerationResult
"""What was decoded for one stretch."""

Aligned = list[dict[str, Any]]
"""Words of one text with their times in seconds, as faster-whisper has them."""


@dataclass(frozen=True, slots=True)
class _OwnNetworks:
    """A model's networks once more, for audio and text that grow."""

    encoder: AudioEncoder
    decoder: TextDecoder


class LoadedWhisper:
    """A model in memory, called by up to `workers` threads at once."""

    def __init__(
        self,
        model: str | Path,
        *,
        device: str,
        compute_type: str,
        workers: int,
        follows: bool = False,
    ) -> None:
        """Load a model; takes about a second for base.

        Args:
            model: Folder of a CTranslate2 model, or a name that faster-whisper resolves.
            device: `cpu`, `cuda` or `auto`.
            compute_type: As CTranslate2 names it; `int8` means int8_float32 on a CPU.
            workers: Calls that run in parallel, one thread each.
            follows: Whether `listen` and `follow` are wanted, where they can be had.

        Raises:
            EngineError: The model cannot be loaded as asked.
        """
        self._again = partial(
            LoadedWhisper, model, device=device, compute_type=compute_type, workers=1
        )
        try:
            self._whisper = WhisperModel(
                str(model),
                device=device,
                compute_type=compute_type,
                cpu_threads=1,
                num_workers=workers,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineError(
                f"a Whisper model for device {device}, compute type {compute_type} expected, "
                f"but {model} does not load: {error}"
            ) from error
        self._whisper.hf_tokenizer = _mended(self._whisper.hf_tokenizer)
        self.tokenizer = lru_cache(maxsize=None)(self._new_tokenizer)
        # What was asked for may be `auto`, or another name of it.
        int8 = self.on_cpu and str(self._whisper.model.compute_type) == INT8
        self._own = _own_networks(str(model), self.features) if follows and int8 else None

    @property
    def follows(self) -> bool:
        """Whether there are `listen` and `follow`."""
        return self._own is not None

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of the languages the model knows."""
        return frozenset(self._whisper.supported_languages)

    @property
    def on_cpu(self) -> bool:
        """Whether it computes on the processor."""
        return str(self._whisper.model.device) == "cpu"

    @property
    def computes(self) -> str:
        """How and where it computes: what `auto` became."""
        return f"{self._whisper.model.compute_type} on {self._whisper.model.device}"

    def encode(self, pcm: Pcm, total: int | None = None) -> Encoding:
        """Return the encoder's output for `pcm` padded with silence to `total` samples."""
        return self._whisper.encode(self._padded_features(pcm, total or padded_length(len(pcm))))

    def encode_all(self, pcms: Sequence[Pcm]) -> Encoding:
        """Return the encoder's output for several stretches, all padded to the longest of them.

        On a processor the encoder gains nothing from several at once: its matrices are large.
        """
        total = max(padded_length(len(pcm)) for pcm in pcms)
        if len(pcms) == 1:
            return self.encode(pcms[0], total)
        if not self.on_cpu:
            return self._whisper.encode(
                np.stack([self._padded_features(pcm, total) for pcm in pcms])
            )
        return self.joined([self.encode(pcm, total) for pcm in pcms])

    def joined(self, encodings: Sequence[Encoding]) -> Encoding:
        """Return encodings of one length as one, on a processor."""
        return as_encoding(np.concatenate([np.asarray(each) for each in encodings]))

    def encode_bare(self, pcm: Pcm, total: int = LONGEST_WINDOW) -> Encoding:
        """Return the encoder's output for `pcm`, with nothing behind it up to `total` samples."""
        hop = self._whisper.feature_extractor.hop_length
        features = self.features(pcm)[:, : len(pcm) // hop]
        missing = total // hop - features.shape[1]
        return self._whisper.encode(np.pad(features, ((0, 0), (0, missing))))

    def spoken(
        self, encoding: Encoding, language: str | None
    ) -> tuple[DetectedLanguage | None, Tokenizer]:
        """Return the language that was detected where none is named, and its tokenizer."""
        detected = self._detect(encoding) if language is None else None
        return detected, self.tokenizer(language if detected is None else detected.code)

    def _detect(self, encoding: Encoding) -> DetectedLanguage:
        if not self._whisper.model.is_multilingual:
            return DetectedLanguage("en", Permille(1000))
        if encoding.shape[1] == self._whisper.model.n_mels:  # CTranslate2 takes it for features.
            encoding = as_encoding(np.asarray(encoding)[:, :-1].copy())
        token, probability = self._whisper.model.detect_language(encoding)[0][0]
        return DetectedLanguage(token.strip("<|>"), Permille(round(1000 * probability)))

    def generate(
        self, encoding: Encoding, prompt: list[int], cap: int, **how: object
    ) -> Sequence[Generated]:
        """Decode each part of an encoding behind the same prompt, by at most about `cap` tokens.

        Args:
            encoding: Of one stretch or more.
            prompt: What stands before the text.
            cap: Tokens.
            how: Further options of CTranslate2's `generate`.
        """
        results: Sequence[Generated] = self._whisper.model.generate(
            encoding,
            [prompt] * encoding.shape[0],
            max_length=min(MOST_TOKENS, len(prompt) + cap),
            return_scores=True,
            return_no_speech_prob=True,
            **how,
        )
        return results

    def sampler(self) -> LoadedWhisper:
        """Return the same model, loaded to sample with.

        CTranslate2 seeds each of its threads once, so that what is sampled is the same every time
        only in a model that was loaded for it.
        """
        set_random_seed(SEED)
        return self._again()

    def align(
        self,
        encoding: Encoding,
        texts: Sequence[list[int]],
        pcms: Sequence[Pcm],
        tokenizer: Tokenizer,
    ) -> list[Aligned]:
        """Return the words of each text with their times, from cross-attention.

        None in less audio than one frame: an utterance may be cut right where its audio ends.

        Args:
            encoding: Of all `pcms`.
            texts: Tokens of what was heard in each, without those that are no text.
            pcms: What was encoded.
            tokenizer: Of the language.
        """
        hop = self._whisper.feature_extractor.hop_length
        if not any(texts) or max(map(len, pcms)) < hop:
            return [[] for _ in texts]
        frames = [min(len(pcm) // hop + 1, encoding.shape[1] * 2) for pcm in pcms]
        found = self._whisper.find_alignment(tokenizer, list(texts), encoding, frames)
        return [_tidy(words) for words in found]

    def listen(self, pcm: Pcm, before: Encoded | None = None, total: int | None = None) -> Encoded:
        """Encode audio, quickly where it is what was encoded before and a little more.

        Args:
            pcm: The audio.
            before: What was encoded before.
            total: Samples to pad it to with silence, if not to as many as are needed.
        """
        assert self._own is not None
        return self._own.encoder.encode(pcm, before, total)

    def follow(
        self,
        encoding: Array,
        context: Sequence[int],
        cap: int,
        expected: str,
        tokenizer: Tokenizer,
    ) -> Decoded:
        """Decode one stretch greedily without timestamps, quickly where the text is expected.

        Args:
            encoding: Of one stretch.
            context: What stands before the prompt.
            cap: Tokens at most.
            expected: What may well be said.
            tokenizer: Of the language.
        """
        assert self._own is not None
        tokens = prompt_of(context, tokenizer, timed=False)
        prompt = Prompt(tokens, len(context), tokenizer.no_speech, tokenizer.eot)
        guess = tokenizer.encode(expected) if expected else ()
        return self._own.decoder.decode(encoding, prompt, cap, guess)

    def timed(self, decoded: Decoded, pcm: Pcm, tokenizer: Tokenizer) -> Aligned:
        """Return the words of what was decoded with their times (see `align`)."""
        ticks = -(-len(pcm) // SAMPLES_PER_TICK)
        if not (decoded.tokens and ticks):
            return []
        first = decoded.attention.shape[1] - len(decoded.tokens) - 1
        ticks_at = token_starts(decoded.attention[:, :, :ticks], first)
        starts = ticks_at * SAMPLES_PER_TICK / SAMPLE_RATE
        texts, tokens = tokenizer.split_to_word_tokens([*decoded.tokens, tokenizer.eot])
        edges = np.cumsum([0, *map(len, tokens)])
        words = [
            {
                "word": text,
                "tokens": tokens[number],
                "start": starts[edges[number]],
                "end": starts[edges[number + 1]],
                "probability": np.mean(decoded.probabilities[edges[number] : edges[number + 1]]),
            }
            for number, text in enumerate(texts[:-1])
        ]
        return _tidy(words)

    def features(self, pcm: Pcm) -> Array:
        """Return log-mel features of audio, (bands, frames of 10 ms and one)."""
        features: Array = self._whisper.feature_extractor(pcm)
        return features

    def _padded_features(self, pcm: Pcm, total: int) -> Array:
        features = self.features(np.pad(pcm, (0, total - len(pcm))))
        return features[:, : total // self._whisper.feature_extractor.hop_length]

    def _new_tokenizer(self, language: str | None) -> Tokenizer:
        multilingual = self._whisper.model.is_multilingual
        return Tokenizer(
            self._whisper.hf_tokenizer, multilingual, task="transcribe", language=language
        )


def _own_networks(model: str, features: Features) -> _OwnNetworks | None:
    """Return a model's networks; `None` where they are kept in a way that we cannot read."""
    # A name was resolved when the model was loaded.
    folder = model if Path(model).is_dir() else download_model(model, local_files_only=True)
    try:
        weights = read_weights(Path(folder))
        return _OwnNetworks(AudioEncoder(weights, features), TextDecoder(weights))
    except EngineError as error:
        logger.warning("live windows are heard anew each time", extra={"reason": str(error)})
        return None


def _mended(tokenizer: tokenizers.tokenizers.Tokenizer) -> tokenizers.tokenizers.Tokenizer:
    """Return a tokenizer that knows what words begin with.

    Where `tokenizer.json` was made of a list of merges whose first line was taken for a heading,
    as in Systran's models of many languages, a space and a "t" stay apart: " the" is two tokens,
    which the model never writes so, and which it reads badly.
    """
    known = tokenizer.token_to_id("".join(FIRST_MERGE)) is not None
    if not known or len(tokenizer.encode(" t", add_special_tokens=False)) == 1:
        return tokenizer
    content = json.loads(tokenizer.to_str())
    content["model"]["merges"].insert(0, FIRST_MERGE)
    return tokenizer.from_str(json.dumps(content))


def _tidy(words: Aligned) -> Aligned:
    """Return words with the punctuation that belongs to them."""
    merge_punctuations(words, BEFORE_WORD, AFTER_WORD)
    return [word for word in words if word["word"]]


def as_encoding(array: Array) -> Encoding:
    """Return an encoding as CTranslate2 takes it; the memory is shared."""
    return StorageView.from_array(array)


def context_of(hotwords: Sequence[str], tokenizer: Tokenizer, before: str = "") -> list[int]:
    """Return what stands before the start of the transcript: words to favour, text before."""
    favoured = tokenizer.encode(" " + ", ".join(hotwords)) if hotwords else []
    said = tokenizer.encode(" " + before.strip()) if before else []
    tokens = [*favoured[:MOST_CONTEXT_TOKENS], *said[-MOST_CONTEXT_TOKENS:]]
    return [tokenizer.sot_prev, *tokens] if tokens else []


def prompt_of(context: Sequence[int], tokenizer: Tokenizer, *, timed: bool) -> list[int]:
    """Return what stands before a text, with times of its own or without."""
    plain = [] if timed else [tokenizer.no_timestamps]
    return [*context, *tokenizer.sot_sequence, *plain]


def is_repetitive(text: str, compression: float) -> bool:
    """Return whether text compresses better than text does."""
    return bool(text) and get_compression_ratio(text) > compression


def says_twice(tokens: Sequence[int], length: int) -> bool:
    """Return whether so many tokens come a second time in the same order."""
    passages = [tuple(tokens[at : at + length]) for at in range(len(tokens) - length + 1)]
    return len(set(passages)) < len(passages)


def words_of(aligned: Aligned, start: Samples, end: Samples) -> tuple[Word, ...]:
    """Return words on the session clock.

    Args:
        aligned: With times since `start`.
        start: Of what was encoded.
        end: No word goes beyond.
    """
    return tuple(_word(each, start, end) for each in aligned)


def _word(aligned: dict[str, Any], offset: Samples, end: Samples) -> Word:
    start, stop = (
        min(Samples(offset + round(float(aligned[edge]) * SAMPLE_RATE)), end)
        for edge in ("start", "end")
    )
    confidence = Permille(round(1000 * float(aligned["probability"])))
    return Word(aligned["word"], Span(start, max(start, stop)), confidence)
