"""Tests of `streaming.core.session` by example; its laws are in `test_session_laws`."""

from __future__ import annotations

from dataclasses import replace

from streaming.core.domain import Samples, Span, UtteranceId, from_ms
from streaming.core.events import UtteranceEnded
from streaming.engines.script import Script
from tests.streaming.core.hearing import Hearing
from tests.streaming.core.scripts import SETTINGS, Talk, word_ms

SILENT = replace(SETTINGS, diarization=False)


def test_an_utterance_ends_where_the_audio_ends_though_its_last_frame_does_not() -> None:
    talk = Talk(Script.of([word_ms(" yes", 0, 200)]), Samples(from_ms(200) + 1))

    reader = Hearing(talk, SILENT).hear([talk.length])

    assert reader.ended == [UtteranceEnded(UtteranceId(0), Span(Samples(0), talk.length))]
