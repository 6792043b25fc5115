"""Greedy decoding with Whisper that reads what is expected instead of writing it again.

A live window holds what the one before it held, and half a second more. So the text of the one
before is given at once, in one pass, and stands as far as each of its tokens is the likeliest after
those before it: only what is new is decoded token by token. Where the expected text goes wrong,
the rest of it is tried again behind the token that is right. What comes out is what greedy decoding
from the start gives (Leviathan, Kalman and Matias, "Fast Inference from Transformers via
Speculative Decoding", ICML 2023, with the last hypothesis in place of the smaller model).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streaming.engines.onnx import OnnxModel
from streaming.engines.whisper_graph import cross_graph, decoder_graph, nothing_before
from streaming.engines.whisper_weights import Array, WhisperWeights

TRIED_AGAIN = 8
"""Expected tokens given behind one that was not expected: each costs a tenth of that one. If all of
them stand, the rest follows at once."""

NEAR = 8
"""How far on in what was expected a token is looked for that was not expected yet. With this, an
utterance that grows by half seconds takes four passes a window."""

EMBEDDINGS = "decoder/embeddings/weight"
"""What tokens become before they are read."""

Arrays = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What stands before the text.

    Attributes:
        tokens: All of it.
        start: Where in it the transcript starts.
        no_speech: The token that follows the start where nobody speaks.
        end: The token that ends a text.
    """

    tokens: Sequence[int]
    start: int
    no_speech: int
    end: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text.

    Attributes:
        tokens: Without the end of text. Of as many as the cap the end is missing.
        probabilities: Of each after those before it.
        log_probability: Of the text and its end, divided by its tokens.
        no_speech: Probability that nobody speaks.
        attention: How much each token listens where, (heads, prompt from its start + tokens,
            frames). A token listens for the one that follows it.
    """

    tokens: list[int]
    probabilities: list[float]
    log_probability: float
    no_speech: float
    attention: Array


class TextDecoder:
    """The decoder of one model, on the processor; safe to use from threads."""

    def __init__(self, weights: WhisperWeights) -> None:
        """Make the graphs, in a second for base.

        Raises:
            EngineError: The weights are not all there.
        """
        self._embeddings = weights.only(EMBEDDINGS)
        self._places = weights.array("decoder/position_encodings/encodings")
        self._cross = OnnxModel(cross_graph(weights))
        self._decoder = OnnxModel(decoder_graph(weights))
        self._suppressed = list(weights.suppressed)
        self._suppressed_at_first = list(weights.suppressed_at_first)
        self._nothing = nothing_before(weights, weights.layers)

    def decode(
        self, encoding: Array, prompt: Prompt, cap: int, expected: Sequence[int] = ()
    ) -> Decoded:
        """Decode greedily.

        Args:
            encoding: What the encoder makes of the audio, (1, frames, width).
            prompt: What stands before the text.
            cap: Tokens of text at most.
            expected: Tokens that the text may well consist of.
        """
        audio = self._cross.named({"encoding": encoding})
        cap = min(cap, len(self._places) - len(prompt.tokens) - TRIED_AGAIN)
        text = _Text(prompt, cap, list(expected[:cap]))
        past = self._nothing
        while True:
            found = self._read(text, audio, past)
            logits = found["logits"][0]
            if not text.tokens:
                text.no_speech = float(_softmax(logits[0])[prompt.no_speech])
                logits = logits[1:]
                logits[0, self._suppressed_at_first] = -np.inf
            logits[:, self._suppressed] = -np.inf
            text.take(logits, found["attention"][0])
            if text.ended:
                return text.decoded
            past = {name: found[f"new_{name}"][:, :, : text.read] for name in self._nothing}

    def _read(self, text: _Text, audio: Arrays, past: Arrays) -> Arrays:
        """Read what was not read of a text, and what is guessed to follow it."""
        new, before = [*text.unread, *text.guess], text.read
        words = self._embeddings.array(EMBEDDINGS, new)
        places = self._places[before : before + len(new)]
        mask = np.zeros((len(new), before + len(new)), np.float32)
        mask[:, before:] = np.triu(np.full((len(new), len(new)), -np.inf, np.float32), 1)
        rows = np.arange(len(text.unread) - 1, len(new))
        if not before:
            rows = np.array([text.prompt.start, *rows])
        hidden = (words + places)[None]
        return self._decoder.named({"hidden": hidden, "mask": mask, "rows": rows, **audio, **past})


class _Text:
    """A text that is being decoded."""

    def __init__(self, prompt: Prompt, cap: int, expected: list[int]) -> None:
        self.prompt = prompt
        self.read = 0
        """How many tokens were read, the prompt's included: those that stand."""
        self.unread = list(prompt.tokens)
        """What stands and was not read yet."""
        self.guess = expected
        """What may follow it."""
        self.tokens: list[int] = []
        self.ended = False
        self.no_speech = 0.0
        self._cap = cap
        self._rest = expected
        self._probabilities: list[float] = []
        self._logs: list[float] = []
        self._attention: list[Array] = []

    def take(self, logits: Array, attention: Array) -> None:
        """Take what follows the last unread token, and each of the guess as far as it stands.

        Args:
            logits: (1 + guess, vocabulary)
            attention: (heads, unread + guess, frames)
        """
        for stood, row in enumerate(logits):
            token = int(row.argmax())
            probability = float(_softmax(row)[token])
            self._logs.append(float(np.log(probability)))
            self.ended = token == self.prompt.end or len(self.tokens) == self._cap
            if self.ended:
                break
            self.tokens.append(token)
            self._probabilities.append(probability)
            if self.guess[stood : stood + 1] != [token]:
                break
        read = len(self.unread) + stood
        self._attention.append(attention[:, :read])
        self.read += read
        self.unread = self.tokens[-1:]
        all_stood = bool(self.guess) and stood == len(self.guess)
        self._rest = _behind(self.tokens[-1], self._rest[stood:]) if self.tokens else []
        self.guess = self._rest[: self._cap - len(self.tokens) if all_stood else TRIED_AGAIN]

    @property
    def decoded(self) -> Decoded:
        """What came of it."""
        return Decoded(
            self.tokens,
            self._probabilities,
            sum(self._logs) / max(1, len(self.tokens)),
            self.no_speech,
            np.concatenate(self._attention, axis=1)[:, self.prompt.start :],
        )


def _behind(token: int, expected: list[int]) -> list[int]:
    """Return what is expected behind a token that was not expected there.

    The text goes on behind the same token, where that follows soon; else the token came in between,
    or stands for the next one, which is found out with the token after.
    """
    near = expected[:NEAR]
    return expected[near.index(token) + 1 :] if token in near else expected


def _softmax(logits: Array) -> Array:
    """Return probabilities, (vocabulary,)."""
    raised = np.exp(logits - logits.max())
    chances: Array = raised / raised.sum()
    return chances
