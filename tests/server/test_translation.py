"""Journal entries and partials as clients are told them."""

import pytest

from server import messages
from server.journal import Entry, LastingEvent
from server.translation import lasting_message, partial_message
from streaming.core.domain import DetectedLanguage, Permille, Samples, Speaker, UtteranceId
from streaming.core.events import (
    Correction,
    Final,
    LanguageDetected,
    Partial,
    SpeakerRevised,
    SpeechStarted,
    UtteranceEnded,
)
from tests.server.events import span, word

U1 = UtteranceId(1)
SAID = (word(" hi", 1_600, 3_215, "S1"),)
TOLD = (messages.Word(" hi", 100, 200, 900, "S1"),)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (SpeechStarted(U1, Samples(1_600)), messages.SpeechStart(7, 1, 100)),
        (Final(U1, SAID), messages.Final(7, 1, TOLD)),
        (SpeakerRevised(span(0, 1_600), Speaker("S2")), messages.Speaker(7, 0, 100, "S2")),
        (SpeakerRevised(span(0, 1_600), None), messages.Speaker(7, 0, 100, None)),
        (UtteranceEnded(U1, span(0, 1_615)), messages.UtteranceEnd(7, 1, 0, 100)),
        (
            Correction(U1, span(0, 3_200), SAID),
            messages.Correction(7, 1, "utterance", 0, 200, TOLD),
        ),
        (
            LanguageDetected(DetectedLanguage("de", Permille(801))),
            messages.Language(7, "de", 801),
        ),
    ],
)
def test_samples_become_whole_milliseconds(
    event: LastingEvent, message: messages.ServerMessage
) -> None:
    assert lasting_message(Entry(7, event)) == message


def test_a_partial_keeps_its_words_and_how_many_are_stable() -> None:
    assert partial_message(Partial(U1, SAID, 1)) == messages.Partial(1, 1, TOLD)
