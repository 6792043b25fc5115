"""Hypothesis strategies for what a core may say, and a word or two for plain tests."""

from hypothesis import strategies as st

from server.journal import LastingEvent
from streaming.core.domain import (
    DetectedLanguage,
    Permille,
    Samples,
    Span,
    Speaker,
    UtteranceId,
    Word,
)
from streaming.core.events import (
    Correction,
    Final,
    LanguageDetected,
    SpeakerRevised,
    SpeechStarted,
    UtteranceEnded,
)


def word(text: str, start: int, end: int, speaker: str | None = None) -> Word:
    voice = None if speaker is None else Speaker(speaker)
    return Word(text, Span(Samples(start), Samples(end)), Permille(900), voice)


def span(start: int, end: int) -> Span:
    return Span(Samples(start), Samples(end))


spans = st.tuples(st.integers(0, 10**9), st.integers(0, 10**6)).map(
    lambda pair: span(pair[0], pair[0] + pair[1])
)
utterances = st.integers(0, 10**5).map(UtteranceId)
speakers = st.none() | st.integers(1, 20).map(lambda n: Speaker(f"S{n}"))
permilles = st.integers(0, 1000).map(Permille)
words = st.builds(
    Word, text=st.text(max_size=8), span=spans, confidence=permilles, speaker=speakers
)
some_words = st.lists(words, max_size=4).map(tuple)
lasting_events: st.SearchStrategy[LastingEvent] = st.one_of(
    st.builds(SpeechStarted, utterances, spans.map(lambda s: s.start)),
    st.builds(Final, utterances, st.lists(words, min_size=1, max_size=4).map(tuple)),
    st.builds(SpeakerRevised, spans, speakers),
    st.builds(UtteranceEnded, utterances, spans),
    st.builds(Correction, utterances, spans, some_words),
    st.builds(LanguageDetected, st.builds(DetectedLanguage, st.just("de"), permilles)),
)
