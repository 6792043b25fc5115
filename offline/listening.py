"""What one recognizer hears in one window after another, each kept so that it is heard only once.

Of audio whose language nobody named, each window says it, for to ask costs next to nothing once the
window is encoded. But the language stays what it was in the window before unless another one is
clearly spoken. How badly a window is heard in the language before does not tell: Whisper translates
rather than stammer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgpack

from offline.cache import ResultCache, key_of
from offline.passes import Stage
from streaming.core.domain import DetectedLanguage, Pcm, Permille, Samples, Span, Word, from_ms
from streaming.core.ports import Effort, RecognitionWindow, Transcription
from streaming.engines.recognizers import Loaded

VERSION = 2
"""Of what is kept: another one where the same engine would be heard differently."""

SURE_OF_LANGUAGE = 500
"""A language is believed from this probability on, in permille, as in a live session."""

OTHER_LANGUAGE = 700
"""Another language than that of the window before has to be this probable."""

CONTEXT_WITHIN = from_ms(3_000)
"""Text is of no help to what is said after a longer pause than this."""

MOST_CONTEXT = 400
"""Characters of the text before that are told."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody who wants audio heard says about it.

    Attributes:
        language: ISO 639-1 code; `None` to detect it.
        hotwords: Words to favour.
    """

    language: str | None
    hotwords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A window that is to be heard.

    Attributes:
        span: Where it is.
        pcm: Its audio, at most 30 s.
        one_way: Whether the first way of the search is enough.
    """

    span: Span
    pcm: Pcm = field(repr=False)
    one_way: bool = False


class Listener:
    """One stage over the windows of one task, in their order; owned by it."""

    def __init__(self, stage: Stage, loaded: Loaded, request: Request, cache: ResultCache) -> None:
        self._stage = stage
        self._loaded = loaded
        self._request = request
        self._cache = cache
        self._language = request.language
        self._before: tuple[Word, ...] = ()
        self.languages: dict[str, int] = {}
        """How many samples were heard in each language."""

    def hear(self, asked: Sequence[Asked]) -> list[Transcription]:
        """Return what is heard in the next windows; takes seconds for each that is not kept.

        Where nothing of one decides about the next, they are heard together.

        Raises:
            EngineError: The recognizer failed.
        """
        if self._request.language is None or self._stage.context:
            return [self._after_others(each) for each in asked]
        heard = self._recognized([self._window(each, self._language) for each in asked])
        for each in asked:
            self._count(each)
        return heard

    def _after_others(self, asked: Asked) -> Transcription:
        """Hear one window with what is known of those before it."""
        heard = self._in_language(asked)
        self._count(asked)
        self._before = heard.words if heard.believed else ()
        return heard

    def _count(self, asked: Asked) -> None:
        if self._language is not None:
            heard = self.languages.get(self._language, 0)
            self.languages[self._language] = heard + asked.span.length

    def _in_language(self, asked: Asked) -> Transcription:
        """Hear a window in the language that was named, or else in the one that is spoken."""
        if self._request.language is not None:
            return self._one(asked, self._language)
        heard = self._one(asked, None)
        found = heard.language
        if found is None or found.code == self._language:
            return heard
        enough = SURE_OF_LANGUAGE if self._language is None else OTHER_LANGUAGE
        if found.confidence >= enough:
            self._language = found.code
        elif self._language is not None:
            return self._one(asked, self._language)
        return heard

    def _one(self, asked: Asked, language: str | None) -> Transcription:
        (heard,) = self._recognized([self._window(asked, language)])
        return heard

    def _window(self, asked: Asked, language: str | None) -> RecognitionWindow:
        search = self._stage.search
        return RecognitionWindow(
            start=asked.span.start,
            pcm=asked.pcm,
            effort=Effort.SEARCH,
            language=language,
            hotwords=self._request.hotwords,
            before=self._context(asked.span),
            search=replace(search, ways=search.ways[:1]) if asked.one_way else search,
        )

    def _recognized(self, windows: Sequence[RecognitionWindow]) -> list[Transcription]:
        """Return what was kept of windows, or have them recognised and keep that."""
        if self._loaded.identity is None:
            return list(self._loaded.recognizer.recognize(windows))
        # In other company, a window is heard a permille surer or less sure.
        company = b"".join(hashlib.sha256(window.pcm.tobytes()).digest() for window in windows)
        keys = [self._key(company, *numbered) for numbered in enumerate(windows)]
        kept = [self._cache.get(key) for key in keys]
        known = [content for content in kept if content is not None]
        if len(known) == len(windows):
            starts = (window.start for window in windows)
            return [_decode(*each) for each in zip(known, starts, strict=True)]
        heard = list(self._loaded.recognizer.recognize(windows))
        for key, window, each in zip(keys, windows, heard, strict=True):
            self._cache.keep(key, _encode(each, window.start))
        return heard

    def _key(self, company: bytes, number: int, window: RecognitionWindow) -> str:
        return key_of(
            "window",
            VERSION,
            company,
            number,
            self._loaded.identity,
            repr(window.search),
            window.language,
            repr(window.hotwords),
            window.before,
        )

    def _context(self, window: Span) -> str:
        """Return the text before a window, where the stage wants it told and it may help."""
        before = self._before
        if not (self._stage.context and before):
            return ""
        if window.start - before[-1].span.end > CONTEXT_WITHIN:
            return ""
        return "".join(word.text for word in before)[-MOST_CONTEXT:]


def _encode(heard: Transcription, start: Samples) -> bytes:
    """Return a transcription as it is kept, with times from the start of its window."""
    content = [
        [[_row(word, start) for word in words] for words in (heard.words, *heard.others)],
        None if heard.language is None else [heard.language.code, heard.language.confidence],
        heard.believed,
    ]
    packed: bytes = msgpack.packb(content)
    return packed


def _decode(content: bytes, start: Samples) -> Transcription:
    readings, language, believed = msgpack.unpackb(content)
    words, *others = (
        tuple(
            Word(text, Span(Samples(start + first), Samples(start + end)), Permille(confidence))
            for text, first, end, confidence in reading
        )
        for reading in readings
    )
    return Transcription(
        words=words,
        language=None if language is None else DetectedLanguage(language[0], Permille(language[1])),
        others=tuple(others),
        believed=believed,
    )


def _row(word: Word, start: Samples) -> list[str | int]:
    return [word.text, word.span.start - start, word.span.end - start, word.confidence]
