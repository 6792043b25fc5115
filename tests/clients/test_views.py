"""Plain lines and the live screen, drawn without a terminal."""

import dataclasses
import io

import pytest
from rich.console import Console

from trax_client import (
    Correction,
    Done,
    Final,
    Partial,
    SessionStats,
    Speaker,
    SpeechStart,
    Stats,
    UtteranceEnd,
    Word,
)
from trax_client.events import Event
from trax_client.screen import Screen
from trax_client.views import Latency, PlainView, totals


def word(text: str, start_ms: int, speaker: str | None = None) -> Word:
    return Word(text, start_ms, start_ms + 100, 900, speaker)


TALK: list[Event] = [
    SpeechStart(1, 0, 0),
    Partial(0, 0, (word("Hello", 0), word(" word", 100))),
    Final(2, 0, (word("Hello", 0), word(" word", 100))),
    UtteranceEnd(3, 0, 0, 200),
    Speaker(4, 0, 200, "S1"),
    Correction(5, 0, "utterance", 0, 200, (word("Hello", 0, "S1"), word(" world", 100, "S1"))),
    SpeechStart(6, 1, 61_000),
    Final(7, 1, (word(" Yes.", 61_000, "S2"),)),
    UtteranceEnd(8, 1, 61_000, 61_100),
    Partial(2, 0, (word(" And", 62_000),)),
]
DONE = Done(62_000, 3, 3, 2, 1)


def test_plain_lines_are_corrected_and_in_order() -> None:
    out, log = io.StringIO(), io.StringIO()
    view = PlainView(out, log, "talk")
    for event in TALK:
        view.show(event)
    assert out.getvalue() == ""
    view.show(Stats(62_000, 62_000, 0, 500))
    assert out.getvalue() == "[0:00] S1: Hello world\n"
    view.show(DONE)
    view.finish(Latency())
    assert out.getvalue() == "[0:00] S1: Hello world\n[1:01] S2: Yes.\n"
    assert log.getvalue() == f"talk:\n{totals(DONE, Latency())}\n"


def test_latency_is_the_mean_over_words_of_real_time_audio() -> None:
    latency = Latency()
    latency.take(TALK[2], 1.0)
    assert latency.mean_s is None
    latency.begin(9.91)
    latency.take(TALK[2], 11.0)
    latency.take(TALK[1], 99.0)
    assert latency.mean_s == pytest.approx(0.94)
    assert totals(dataclasses.replace(DONE, utterances=1), latency) == (
        "1:02 of audio, 3 words, 1 utterance, 2 speakers, 1 correction, "
        "words final after 0.9 s on average"
    )


class StandInSession:
    """Only what the status line asks for."""

    def __init__(self) -> None:
        self.connected = True

    @property
    def stats(self) -> SessionStats:
        return SessionStats(62_000, 60_000, 61_000, 1_250, self.connected, 0)


@dataclasses.dataclass
class Drawing:
    """A screen and what it drew."""

    session: StandInSession
    console: Console
    screen: Screen

    def text(self) -> str:
        """Return what may still change, and the status, as drawn now."""
        with self.console.capture() as capture:
            self.console.print(self.screen, end="")
        return capture.get()


@pytest.fixture
def drawing() -> Drawing:
    console = Console(file=io.StringIO(), width=90, height=12, force_terminal=False)
    session = StandInSession()
    return Drawing(session, console, Screen(console, session, "talk"))  # type: ignore[arg-type]  # a stand-in


def printed(drawing: Drawing) -> str:
    assert isinstance(drawing.console.file, io.StringIO)
    return drawing.console.file.getvalue()


def test_screen_shows_finals_partial_and_status(drawing: Drawing) -> None:
    for event in TALK:
        drawing.screen.show(event)
    assert drawing.text().splitlines() == [
        "S1 0:00",
        "Hello world",
        "S2 1:01",
        "Yes.",
        "And",
        "1:02  lag 1.2 s  connected",
    ]
    drawing.session.connected = False
    assert "reconnecting, your audio is kept" in drawing.text()
    drawing.screen.finish(Latency())


def test_settled_lines_scroll_away_and_totals_come_last(drawing: Drawing) -> None:
    for event in [*TALK, Stats(62_000, 61_000, 0, 500)]:
        drawing.screen.show(event)
    assert "Hello world" not in drawing.text()
    assert "Hello world" in printed(drawing)
    drawing.screen.show(DONE)
    drawing.screen.finish(Latency())
    lines = [line.strip() for line in printed(drawing).splitlines() if line.strip()]
    assert lines[0] == "talk"
    assert lines[-1].startswith("1:02 of audio, 3 words")
    assert lines.count("Hello world") == lines.count("Yes.") == 1


def test_screen_is_never_taller_than_the_terminal(drawing: Drawing) -> None:
    for number in range(40):
        speaker = f"S{number % 3}"
        drawing.screen.show(Final(1, number, (word(f" w{number}", 100 * number, speaker),)))
    shown = drawing.text().splitlines()
    assert len(shown) <= 12
    assert shown[-1].endswith("connected")
    assert "w39" in shown[-2]
    drawing.screen.finish(Latency())


def test_corrected_words_are_underlined_and_speakers_coloured() -> None:
    console = Console(
        file=io.StringIO(), width=60, height=12, color_system="standard", force_terminal=True
    )
    screen = Screen(console, StandInSession(), "talk")  # type: ignore[arg-type]  # a stand-in
    for event in TALK:
        screen.show(event)
    screen.finish(Latency())
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "Hello\x1b[4m world\x1b[0m" in shown
    assert "\x1b[1;36mS1" in shown
    assert "\x1b[1;35mS2" in shown
