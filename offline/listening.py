"""What one recognizer hears in one window after another, each kept so that it is heard only once.

Of audio whose language nobody named, each window says it, for to ask costs next to nothing once the
window is encoded. But the language stays what it was in the window before unless another one is
clearly spoken. How badly a window is heard in the language before does not tell: Whisper translates
rather than stammer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

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


class Listener:
    """One stage over the windows of one task, in their order; owned by it."""

    def __init__(self, stage: Stage, loaded: Loaded, request: Request, cache: ResultCache) -> None:
        self._stage = stage
        self._loaded = loaded
        self._request = request
        self._cache = cache
        self._search = stage.search
        self._language = request.language
        self._before: tuple[Word, ...] = ()
        self.languages: dict[str, int] = {}
        """How many samples were heard in each language."""

    def hear(self, window: Span, pcm: Pcm, *, one_way: bool = False) -> Transcription:
        """Return what is heard in the next window; takes seconds if it is not kept.

        Args:
            window: Where it is.
            pcm: Its audio, at most 30 s.
            one_way: Whether the first way of the search is enough.

        Raises:
            EngineError: The recognizer failed.
        """
        search = self._stage.search
        self._search = replace(search, ways=search.ways[:1]) if one_way else search
        heard = self._in_language(window, pcm)
        if self._language is not None:
            self.languages[self._language] = self.languages.get(self._language, 0) + window.length
        self._before = heard.words if heard.believed else ()
        return heard

    def _in_language(self, window: Span, pcm: Pcm) -> Transcription:
        """Hear a window in the language that was named, or else in the one that is spoken."""
        if self._request.language is not None:
            return self._recognized(window, pcm, self._language)
        heard = self._recognized(window, pcm, None)
        found = heard.language
        if found is None or found.code == self._language:
            return heard
        enough = SURE_OF_LANGUAGE if self._language is None else OTHER_LANGUAGE
        if found.confidence >= enough:
            self._language = found.code
        elif self._language is not None:
            return self._recognized(window, pcm, self._language)
        return heard

    def _recognized(self, window: Span, pcm: Pcm, language: str | None) -> Transcription:
        """Return what was kept of a window, or have it recognised and keep that."""
        asked = RecognitionWindow(
            start=window.start,
            pcm=pcm,
            effort=Effort.SEARCH,
            language=language,
            hotwords=self._request.hotwords,
            before=self._context(window),
            search=self._search,
        )
        if self._loaded.identity is None:
            return self._recognize(asked)
        key = key_of(
            "window",
            VERSION,
            hashlib.sha256(pcm.tobytes()).digest(),
            self._loaded.identity,
            repr(asked.search),
            language,
            repr(asked.hotwords),
            asked.before,
        )
        kept = self._cache.get(key)
        if kept is not None:
            return _decode(kept, window.start)
        heard = self._recognize(asked)
        self._cache.keep(key, _encode(heard, window.start))
        return heard

    def _recognize(self, window: RecognitionWindow) -> Transcription:
        (heard,) = self._loaded.recognizer.recognize([window])
        return heard

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
