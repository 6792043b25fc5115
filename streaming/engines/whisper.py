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

On a processor a live window goes on where the one before it ended: only its end is encoded again
(`whisper_encoder`), and it is led by the text that was heard (`whisper_decoder`), each of which
costs a third of doing it anew. Elsewhere live windows of several sessions are decoded together
where they wait together: four at once cost half of what each costs by itself, the encoder apart.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from streaming.core.domain import SAMPLE_RATE, Samples, Word
from streaming.core.ports import Effort, RecognitionWindow, Transcription
from streaming.engines.decoding import (
    LONGEST_WINDOW,
    MOST_SEEKS,
    SHORTEST_REST,
    TOKENS_FOR_TIMESTAMPS,
    after,
    padded_length,
    seek,
    token_cap,
)
from streaming.engines.whisper_encoder import Encoded
from streaming.engines.whisper_model import (
    Encoding,
    LoadedWhisper,
    Tokenizer,
    as_encoding,
    context_of,
    is_repetitive,
    prompt_of,
    says_twice,
    words_of,
)
from streaming.engines.whisper_search import search

BEAMS = 5
"""Width of the search in an utterance pass: 11 instead of 6-9 ms a token (base)."""

NO_SPEECH = 0.6
NO_CONFIDENCE = -1.0
"""A window with at least this probability of no speech and at most this mean log-probability
holds no speech; repetition that compresses better than `REPETITIVE` is no text. All three are
Whisper's own thresholds (Radford et al. 2022, section 4.5)."""

REPETITIVE = 2.4

PASSAGE = 8
"""So many tokens twice in one window are heard again with more silence, which tells speech that is
repeated from text that is: tiny.en writes the first sentence of a window down twice. It makes 189
live errors of 213 in 964 words (`python -m loadtest accuracy --live-model whisper-tiny.en`); base
has one such window, and as many errors."""

ALIKE = 5 * SAMPLE_RATE
"""Windows whose padded lengths differ by less may be decoded together: all are encoded as long as
the longest, which costs more than the company saves where they differ much."""

MOST_ON_CPU, MOST_ON_GPU = 8, 64
"""Windows decoded at once that may be worth a try: four are on a processor (base), on a GPU as many
as its memory holds (`calibration`)."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of a live window.

    Attributes:
        start: Of the window.
        heard: What was made of it.
    """

    start: Samples
    heard: Encoded


class WhisperRecognizer:
    """A `Recognizer`: one loaded Whisper model, called by up to `workers` threads at once."""

    def __init__(
        self,
        model: str | Path,
        *,
        device: str = "cpu",
        compute_type: str = "int8",
        workers: int = 2,
        live: bool = False,
    ) -> None:
        """Load a model; takes about a second for base.

        Args:
            model: Folder of a CTranslate2 model, or a name that faster-whisper resolves.
            device: `cpu`, `cuda` or `auto`.
            compute_type: As CTranslate2 names it; `int8` means int8_float32 on a CPU.
            workers: Calls that run in parallel, one thread each. Two workers of one thread do
                twice the work of one worker of two threads (measured on two cores).
            live: Whether live windows are to be heard. Without, they are heard all the same, but
                at twice the cost.

        Raises:
            EngineError: The model cannot be loaded as asked.
        """
        self._model = LoadedWhisper(
            model, device=device, compute_type=compute_type, workers=workers, follows=live
        )
        self.languages = self._model.languages
        """ISO 639-1 codes of the languages the model knows."""
        self.most_batch = MOST_ON_CPU if self._model.on_cpu else MOST_ON_GPU
        """Windows of one kin that are worth being recognised at once, at most."""

    @property
    def on_cpu(self) -> bool:
        """Whether it computes on the processor."""
        return self._model.on_cpu

    @property
    def computes(self) -> str:
        """How and where it computes: what `auto` became."""
        return self._model.computes

    def kin(self, window: RecognitionWindow) -> Hashable:
        """Return what windows share that are decoded together.

        Those are live ones that are about as long, and such as are searched alike.
        """
        if window.language is None:
            return None
        match window.effort:
            case Effort.LIVE if not self._model.follows:
                length = -(-padded_length(len(window.pcm)) // ALIKE)
                return window.effort, window.language, window.hotwords, length
            case Effort.SEARCH if self._model.on_cpu and not window.before:
                return window.effort, window.language, window.hotwords, window.search
            case _:
                return None

    def recognize(self, windows: Sequence[RecognitionWindow]) -> Sequence[Transcription]:
        """Recognise windows, those of one kin together.

        Args:
            windows: Each at most 30 s. A longer one is refused.

        Raises:
            ValueError: A window is longer than 30 s.
        """
        for window in windows:
            if len(window.pcm) > LONGEST_WINDOW:
                length = len(window.pcm)
                raise ValueError(f"a window of at most 30 s expected, got {length} samples")
        together: dict[Hashable, list[int]] = {}
        for number, window in enumerate(windows):
            kin = self.kin(window)
            together.setdefault(("alone", number) if kin is None else kin, []).append(number)
        heard: dict[int, Transcription] = {}
        for numbers in together.values():
            answers = self._recognize([windows[number] for number in numbers])
            heard.update(zip(numbers, answers, strict=True))
        return [heard[number] for number in range(len(windows))]

    def _recognize(self, windows: Sequence[RecognitionWindow]) -> Sequence[Transcription]:
        """Recognise one window, or several of one kin."""
        match windows[0].effort:
            case Effort.LIVE if self._model.follows:
                return [self._followed(window) for window in windows]
            case Effort.LIVE:
                return self._live(windows)
            case Effort.UTTERANCE:
                return [self._whole(window) for window in windows]
            case Effort.SEARCH:
                return search(self._model, windows)
            case effort:
                assert_never(effort)

    def _followed(self, window: RecognitionWindow) -> Transcription:
        """Decode once, greedily, without timestamps, led by what was heard before."""
        model, pcm, cap = self._model, window.pcm, token_cap(len(window.pcm))
        heard = model.listen(pcm, _grown(window))
        language, tokenizer = model.spoken(as_encoding(heard.encoding), window.language)
        context = context_of(window.hotwords, tokenizer)
        decoded = model.follow(heard.encoding, context, cap, window.expected, tokenizer)
        if _loops(decoded.tokens, cap, tokenizer):
            whole = model.listen(pcm, total=LONGEST_WINDOW)
            decoded = model.follow(whole.encoding, context, cap, "", tokenizer)
        kept = _Kept(window.start, heard)
        if _says_nothing(decoded.no_speech, decoded.log_probability):
            return Transcription((), language, kept=kept)
        words = words_of(model.timed(decoded, pcm, tokenizer), window.start, _end(window))
        return Transcription(words, language, kept=kept)

    def _live(self, windows: Sequence[RecognitionWindow]) -> Sequence[Transcription]:
        """Decode once, greedily, without timestamps."""
        model, window, pcms = self._model, windows[0], [each.pcm for each in windows]
        encoding = model.encode_all(pcms)
        language, tokenizer = model.spoken(encoding, window.language)
        prompt = prompt_of(context_of(window.hotwords, tokenizer), tokenizer, timed=False)
        caps = [token_cap(len(pcm)) for pcm in pcms]
        texts = self._decode(encoding, prompt, caps)
        aligned = model.align(encoding, texts, pcms, tokenizer)
        for number, (text, cap, pcm) in enumerate(zip(texts, caps, pcms, strict=True)):
            if _loops(text, cap, tokenizer):
                whole = model.encode(pcm, LONGEST_WINDOW)
                again = self._decode(whole, prompt, [cap])
                (aligned[number],) = model.align(whole, again, [pcm], tokenizer)
        return [
            Transcription(words_of(each, asked.start, _end(asked)), language)
            for each, asked in zip(aligned, windows, strict=True)
        ]

    def _whole(self, window: RecognitionWindow) -> Transcription:
        """Decode with timestamps, and again from where the text stopped short of the end."""
        model = self._model
        encoding = model.encode(window.pcm)
        language, tokenizer = model.spoken(encoding, window.language)
        prompt = prompt_of(context_of(window.hotwords, tokenizer), tokenizer, timed=True)
        words: list[Word] = []
        offset = 0
        for _ in range(MOST_SEEKS):
            pcm = window.pcm[offset:]
            cap = token_cap(len(pcm)) + TOKENS_FOR_TIMESTAMPS
            (tokens,) = self._decode(encoding, prompt, [cap], BEAMS)
            if _loops(tokens, cap, tokenizer):
                encoding = model.encode(pcm, LONGEST_WINDOW)
                (tokens,) = self._decode(encoding, prompt, [cap], BEAMS)
            stopped = seek(tokens, tokenizer.timestamp_begin)
            heard = tokens if stopped is None else tokens[: stopped.tokens]
            text = [token for token in heard if token < tokenizer.eot]
            (aligned,) = model.align(encoding, [text], [pcm], tokenizer)
            words += after(words, words_of(aligned, Samples(window.start + offset), _end(window)))
            if stopped is None or len(pcm) - stopped.samples < SHORTEST_REST:
                break
            offset += stopped.samples
            encoding = model.encode(window.pcm[offset:])
        return Transcription(tuple(words), language)

    def _decode(
        self, encoding: Encoding, prompt: list[int], caps: Sequence[int], beams: int = 1
    ) -> list[list[int]]:
        """Return the tokens of each text, without the end of text: at most about its cap.

        None when the model thinks that nobody speaks.
        """
        results = self._model.generate(encoding, prompt, max(caps), beam_size=beams)
        return [
            []
            if _says_nothing(result.no_speech_prob, result.scores[0])
            else list(result.sequences_ids[0][:cap])
            for result, cap in zip(results, caps, strict=True)
        ]


def _grown(window: RecognitionWindow) -> Encoded | None:
    """Return what was made of a window when it was shorter, if it is one that grew."""
    kept = window.kept
    return kept.heard if isinstance(kept, _Kept) and kept.start == window.start else None


def _says_nothing(no_speech: float, log_probability: float) -> bool:
    return no_speech >= NO_SPEECH and log_probability <= NO_CONFIDENCE


def _loops(tokens: list[int], cap: int, tokenizer: Tokenizer) -> bool:
    """Return whether a text does not end, or repeats itself."""
    if len(tokens) >= cap or says_twice(tokens, PASSAGE):
        return True
    return is_repetitive(tokenizer.decode(tokens), REPETITIVE)


def _end(window: RecognitionWindow) -> Samples:
    return Samples(window.start + len(window.pcm))
