"""Tests of `offline.accurate`, with recognizers that play what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from offline.accurate import AccuratePass, Ear
from offline.audio import HeldAudio
from offline.cache import ResultCache
from offline.domain import PassWord
from offline.errors import LanguageError, NoStage
from offline.jobs import JobKind, Task
from offline.passes import DEFAULT, LIVE, Moment, Passes, Stage
from offline.results import Hearing
from offline.windows import WindowRules
from streaming.core.domain import (
    FRAME,
    SAMPLE_RATE,
    DetectedLanguage,
    Permille,
    Samples,
    Span,
    Speaker,
    Word,
    from_ms,
)
from streaming.core.ports import RecognitionWindow, Recognizer, Transcription
from streaming.engines.recognizers import Loaded, Machine
from streaming.engines.script import Script
from streaming.engines.scripted import ScriptedRecognizer, ScriptedVad

TASK = Task(JobKind.RECORDING, "t", "s", language="en")
LIVE_MODEL = "scripted:talk"
SECONDS = 120


def talk(texts: Sequence[str], confidence: int = 900, apart_ms: int = 1_000) -> list[Word]:
    """Return words that take half of the time until the next one begins."""
    return [
        Word(
            f" {text}",
            Span(from_ms(n * apart_ms), from_ms(n * apart_ms + apart_ms // 2)),
            Permille(confidence),
            Speaker("ann"),
        )
        for n, text in enumerate(texts)
    ]


def pass_words(words: Sequence[Word]) -> list[PassWord]:
    return [
        PassWord(word.text, word.span.start // 16, word.span.end // 16, word.confidence)
        for word in words
    ]


@dataclass(slots=True)
class Listened:
    """A recognizer that notes what it was asked: a small real implementation of the port."""

    recognizer: Recognizer
    asked: list[RecognitionWindow] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)

    def recognize(self, windows: Sequence[RecognitionWindow]) -> Sequence[Transcription]:
        self.asked += windows
        self.calls.append(len(windows))
        return self.recognizer.recognize(windows)


@dataclass(slots=True)
class Playing:
    """Makes recognizers that play scripts, by name."""

    scripts: dict[str, Script]
    engines: dict[str, Listened] = field(default_factory=dict)
    loads: list[str] = field(default_factory=list)

    def load(self, name: str, _machine: Machine) -> Loaded:
        script = self.scripts[name]
        self.loads.append(name)
        engine = self.engines.setdefault(name, Listened(ScriptedRecognizer(script)))
        return Loaded(
            name=name,
            identity=name,
            recognizer=engine,
            languages=frozenset({script.language}),
            vad=lambda start: ScriptedVad(script, start=start),
        )

    def asked(self, name: str = LIVE_MODEL) -> list[RecognitionWindow]:
        return self.engines[name].asked if name in self.engines else []


@pytest.fixture
def cache(tmp_path: Path) -> ResultCache:
    return ResultCache(tmp_path, 10_000_000)


def listener(
    words: Sequence[Word],
    cache: ResultCache,
    passes: Passes = DEFAULT,
    **others: Sequence[Word],
) -> tuple[AccuratePass, Playing]:
    scripts = {LIVE_MODEL: Script.of(words)}
    scripts |= {name: Script.of(said) for name, said in others.items()}
    playing = Playing(scripts)
    ear = Ear(passes, LIVE_MODEL, Machine(Path()), WindowRules(longest=Samples(10 * SAMPLE_RATE)))
    return AccuratePass(ear, cache, playing.load), playing


def noise(seconds: float = SECONDS, seed: int = 0) -> HeldAudio:
    """Return audio that is nowhere the same: players of scripts do not listen to it."""
    generator = np.random.default_rng(seed)
    return HeldAudio(generator.random(round(seconds * SAMPLE_RATE), dtype=np.float32))


def ignore(_part: float) -> None:
    """Take progress without a word."""


def text(hearing: Hearing) -> str:
    return "".join(heard.word.text for heard in hearing.words).strip()


def numbered(count: int) -> list[str]:
    return [f"word{n}" for n in range(count)]


def test_all_that_is_said_is_heard_with_its_times(cache: ResultCache) -> None:
    said = talk(numbered(100))
    hearing_pass, playing = listener(said, cache)

    hearing = hearing_pass.hear(noise(), TASK, (), ignore)

    assert text(hearing) == " ".join(numbered(100))
    assert [heard.word for heard in hearing.words] == pass_words(said)
    assert (hearing.start_ms, hearing.end_ms) == (0, 1_000 * SECONDS)
    assert hearing.language == "en"
    assert len(playing.asked()) >= 10
    assert max(len(window.pcm) for window in playing.asked()) <= 10 * SAMPLE_RATE


@pytest.mark.parametrize("seconds", [0, 0.001, 3])
def test_audio_in_which_nobody_speaks_has_no_words(cache: ResultCache, seconds: float) -> None:
    hearing_pass, playing = listener([], cache)

    hearing = hearing_pass.hear(noise(seconds), TASK, (), ignore)

    assert hearing == Hearing(0, int(1_000 * seconds), (), language="en")
    assert playing.asked() == []


def test_a_part_of_the_audio_is_heard_on_the_sessions_clock(cache: ResultCache) -> None:
    said = talk(numbered(100))
    hearing_pass, playing = listener(said, cache)

    part = replace(TASK, kind=JobKind.STRETCH, start_ms=20_000, end_ms=50_000)
    hearing = hearing_pass.hear(noise(), part, (), ignore)

    assert [heard.word for heard in hearing.words] == pass_words(said)[20:50]
    assert (hearing.start_ms, hearing.end_ms) == (20_000, 50_000)
    assert min(window.start for window in playing.asked()) == from_ms(20_000)


def test_a_passage_is_heard_with_what_is_said_around_it(cache: ResultCache) -> None:
    accurate, playing = listener(talk(numbered(60)), cache)
    task = replace(TASK, kind=JobKind.PASSAGE, start_ms=20_100, end_ms=21_700)

    heard = accurate.hear(noise(60), task, (), ignore)

    assert text(heard) == "word20 word21 word22", "and what is at its edge"
    assert (heard.start_ms, heard.end_ms) == (20_100, 21_700)
    spans = [(window.start, len(window.pcm)) for window in playing.asked()]
    assert min(start for start, _ in spans) < from_ms(16_000)
    assert max(start + length for start, length in spans) > from_ms(25_000)


@pytest.mark.parametrize(("start_ms", "end_ms"), [(130_000, None), (130_000, 140_000)])
def test_what_lies_behind_the_end_is_nothing(
    cache: ResultCache, start_ms: int, end_ms: int | None
) -> None:
    hearing_pass, _ = listener(talk(numbered(100)), cache)

    task = replace(TASK, start_ms=start_ms, end_ms=end_ms)

    assert hearing_pass.hear(noise(), task, (), ignore).words == ()


def test_progress_rises_to_one(cache: ResultCache) -> None:
    told: list[float] = []
    hearing_pass, _ = listener(talk(numbered(100)), cache)

    hearing_pass.hear(noise(), TASK, (), told.append)

    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == 1
    assert len(told) > 10


class Cancelled(Exception):
    """Somebody wants no more."""


def test_a_job_that_was_cancelled_redoes_nothing(cache: ResultCache) -> None:
    said, audio = talk(numbered(100)), noise()
    first, playing = listener(said, cache)

    def cancel(part: float) -> None:
        if part > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        first.hear(audio, TASK, (), cancel)
    before = len(playing.asked())
    again, playing = listener(said, cache)
    hearing = again.hear(audio, TASK, (), ignore)

    assert text(hearing) == " ".join(numbered(100))
    assert before >= 5
    assert before + len(playing.asked()) == len(cached_windows(said, audio, cache))


def cached_windows(
    said: Sequence[Word], audio: HeldAudio, cache: ResultCache
) -> list[RecognitionWindow]:
    """Return what is asked where nothing was kept."""
    empty = ResultCache(cache._folder / "none", 0)
    hearing_pass, playing = listener(said, empty)
    hearing_pass.hear(audio, TASK, (), ignore)
    return playing.asked()


@pytest.mark.parametrize(
    "changed",
    [
        replace(TASK, hotwords=("Trax",)),
        replace(TASK, model="other"),
    ],
)
def test_the_same_again_is_not_recognised_and_anything_else_is(
    cache: ResultCache, changed: Task
) -> None:
    said, audio = talk(numbered(100)), noise()
    first, _ = listener(said, cache)
    expected = first.hear(audio, TASK, (), ignore)
    again, playing = listener(said, cache, other=said)

    assert again.hear(audio, TASK, (), ignore) == expected
    assert playing.asked() == []
    assert again.hear(audio, changed, (), ignore) == expected
    assert len(playing.asked() + playing.asked("other")) >= 10


def test_a_window_is_kept_by_what_is_in_it_and_not_by_where_it_stands(cache: ResultCache) -> None:
    said = [replace(word, span=shifted(word.span, 1)) for word in talk(numbered(5))]
    audio = noise(10)
    first, _ = listener(said, cache)
    first.hear(audio, TASK, (), ignore)
    # 160 frames: voice activity is looked at frame by frame from the start of the audio.
    by = 160 * FRAME
    later = [
        replace(word, span=Span(Samples(word.span.start + by), Samples(word.span.end + by)))
        for word in said
    ]
    again, playing = listener(later, cache)

    heard = again.hear(HeldAudio(np.pad(audio.pcm, (by, 0))), TASK, (), ignore)

    assert playing.asked() == []
    assert [word.word for word in heard.words] == pass_words(later)


def shifted(span: Span, seconds: int) -> Span:
    by = seconds * SAMPLE_RATE
    return Span(Samples(span.start + by), Samples(span.end + by))


@pytest.mark.parametrize("language", ["en", None])
def test_windows_are_heard_together_unless_the_language_of_one_decides_about_the_next(
    cache: ResultCache, language: str | None
) -> None:
    said = talk(numbered(100))
    hearing_pass, playing = listener(said, cache)

    hearing = hearing_pass.hear(noise(), replace(TASK, language=language), (), ignore)

    assert [heard.word for heard in hearing.words] == pass_words(said)
    calls = playing.engines[LIVE_MODEL].calls
    assert sum(calls) == len(playing.asked()) > 2
    assert max(calls) == (1 if language is None else 2)


def test_earlier_passes_vote(cache: ResultCache) -> None:
    """One that is alone with what it says is overruled, whichever it is."""
    right = numbered(30)
    wrong_now, wrong_then = right.copy(), right.copy()
    wrong_now[7], wrong_then[21] = "mistake", "slip"
    del wrong_then[25]
    hearing_pass, _ = listener(talk(wrong_now), cache)
    then = [word for word in talk(right) if word.text != " word25"]
    then[21] = replace(then[21], text=" slip")

    hearing = hearing_pass.hear(noise(), TASK, [pass_words(then), pass_words(talk(right))], ignore)

    assert text(hearing) == " ".join(right)


def test_the_live_words_of_a_lesser_model_have_no_vote(cache: ResultCache) -> None:
    better, playing = listener(
        [], cache, two_stages(uncertain_only=True), quick=talk(["new"] * 3), slow=talk(["new"] * 3)
    )
    live, later = pass_words(talk(["old"] * 3)), pass_words(talk(["newer"] * 3))

    assert text(better.hear(noise(), TASK, [live, live], ignore)) == "new new new"
    assert (
        text(better.hear(noise(), TASK, [live, live, later, later, later], ignore))
        == "newer newer newer"
    )
    assert playing.asked("quick")


def test_passes_that_never_listened_have_no_vote(cache: ResultCache) -> None:
    hearing_pass, _ = listener(talk(numbered(10)), cache)

    assert text(hearing_pass.hear(noise(), TASK, ([], []), ignore)) == " ".join(numbered(10))


@pytest.mark.parametrize("kind", [JobKind.PASSAGE, JobKind.UPLOAD])
def test_what_somebody_wants_heard_anew_is_heard_without_prejudice(
    kind: JobKind, cache: ResultCache
) -> None:
    hearing_pass, _ = listener(talk(["new"] * 3), cache)
    task = replace(TASK, kind=kind)
    old = pass_words(talk(["old"] * 3))

    assert text(hearing_pass.hear(noise(), task, [old, old], ignore)) == "new new new"


def two_stages(*, uncertain_only: bool) -> Passes:
    return Passes(
        (
            Stage("utterance", Moment.UTTERANCE, model=LIVE),
            Stage("quick", Moment.RECORDING, model="quick"),
            Stage("slow", Moment.RECORDING, model="slow", uncertain_only=uncertain_only),
        )
    )


def test_a_further_stage_hears_and_votes_too(cache: ResultCache) -> None:
    right, wrong = numbered(20), [*numbered(19), "mistake"]
    hearing_pass, playing = listener(
        [],
        cache,
        two_stages(uncertain_only=False),
        quick=talk(wrong, confidence=300),
        slow=talk(right),
    )

    hearing = hearing_pass.hear(noise(), TASK, (), ignore)

    assert text(hearing) == " ".join(right)
    assert playing.loads == ["quick", "slow"]


def test_only_what_is_uncertain_is_heard_again(cache: ResultCache) -> None:
    words = talk(numbered(40), apart_ms=500)
    # Ten seconds of silence, then something of which nobody is sure.
    mumbled = [
        replace(word, span=shifted(word.span, 30), confidence=Permille(300))
        for word in talk(["what", "was", "that"], apart_ms=500)
    ]
    hearing_pass, playing = listener(
        [],
        cache,
        two_stages(uncertain_only=True),
        quick=[*words, *mumbled],
        slow=[*words, *mumbled],
    )

    earlier = [(), (), pass_words([*words, *mumbled])]
    hearing = hearing_pass.hear(noise(), TASK, earlier, ignore)

    assert len(hearing.words) == 43
    assert len(playing.asked("quick")) > 2
    assert len(playing.asked("slow")) == 1
    assert playing.asked("slow")[0].start > 29 * SAMPLE_RATE


def test_where_several_talk_at_once_is_uncertain(cache: ResultCache) -> None:
    said = talk(numbered(40), apart_ms=500)
    hearing_pass, playing = listener(
        [], cache, two_stages(uncertain_only=True), quick=said, slow=said
    )
    earlier = [(), (), pass_words(said)]

    hearing_pass.hear(noise(), TASK, earlier, ignore)
    assert playing.asked("slow") == []
    at_once = Span(from_ms(1_000), from_ms(6_000))
    hearing_pass.hear(noise(), TASK, earlier, ignore, lambda: [at_once])

    (asked,) = playing.asked("slow")
    assert asked.start < at_once.start


def test_a_model_that_somebody_chose_is_taken_alone(cache: ResultCache) -> None:
    hearing_pass, playing = listener(
        [], cache, two_stages(uncertain_only=True), other=talk(["hello"]), quick=[], slow=[]
    )

    hearing = hearing_pass.hear(noise(5), replace(TASK, model="other"), (), ignore)

    assert text(hearing) == "hello"
    assert playing.loads == ["other"]


def test_few_recognizers_are_kept_and_those_used_last(cache: ResultCache) -> None:
    hearing_pass, playing = listener([], cache, a=[], b=[], c=[])

    for name in ("a", "b", "a", "c", "a", "b"):
        hearing_pass.hear(noise(0.1), replace(TASK, model=name), (), ignore)

    assert playing.loads == ["a", "b", "c", "b"]


def test_a_language_that_the_recognizer_does_not_know_is_refused(cache: ResultCache) -> None:
    hearing_pass, _ = listener([], cache)

    with pytest.raises(LanguageError, match=r"a language of en expected, got 'fr'"):
        hearing_pass.hear(noise(1), replace(TASK, language="fr"), (), ignore)


@pytest.mark.parametrize("model", [None, "other"])
@pytest.mark.parametrize(
    ("kind", "moment"), [(JobKind.UPLOAD, "recording"), (JobKind.STRETCH, "stretch")]
)
def test_without_a_stage_a_task_is_refused_rather_than_found_silent(
    cache: ResultCache, model: str | None, kind: JobKind, moment: str
) -> None:
    only_live = Passes((Stage("utterance", Moment.UTTERANCE, model=LIVE),))
    hearing_pass, playing = listener(talk(["hello"]), cache, only_live)

    with pytest.raises(NoStage, match=f"a stage of the moment {moment} expected, got none"):
        hearing_pass.hear(noise(5), replace(TASK, kind=kind, model=model), (), ignore)
    assert playing.loads == []


# --- Languages ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Polyglot:
    """Hears Spanish from a point on, badly when told that it is English."""

    spanish_from: int
    sure: int = 900
    asked: list[str | None] = field(default_factory=list)

    def recognize(self, windows: Sequence[RecognitionWindow]) -> Sequence[Transcription]:
        return [self._heard(window) for window in windows]

    def _heard(self, window: RecognitionWindow) -> Transcription:
        self.asked.append(window.language)
        spoken = "es" if window.start >= self.spanish_from else "en"
        right = window.language in (None, spoken)
        word = Word(
            f" {spoken if right else 'rubbish'}",
            Span(window.start, Samples(window.start + len(window.pcm))),
            Permille(900 if right else 200),
        )
        detected = DetectedLanguage(spoken, Permille(self.sure))
        return Transcription((word,), detected if window.language is None else None)


def hear_polyglot(engine: Polyglot, cache: ResultCache) -> Hearing:
    script = Script.of(talk(["word"] * 40))

    def load(name: str, _machine: Machine) -> Loaded:
        languages = frozenset({"en", "es"})
        return Loaded(name, name, engine, languages, lambda start: ScriptedVad(script, start=start))

    ear = Ear(DEFAULT, LIVE_MODEL, Machine(Path()), WindowRules(longest=Samples(8 * SAMPLE_RATE)))
    task = replace(TASK, language=None)
    return AccuratePass(ear, cache, load).hear(noise(40), task, (), ignore)


def test_a_language_is_detected_passage_by_passage(cache: ResultCache) -> None:
    engine = Polyglot(spanish_from=22 * SAMPLE_RATE)

    hearing = hear_polyglot(engine, cache)

    assert "rubbish" not in text(hearing)
    assert set(text(hearing).split()) == {"en", "es"}
    assert text(hearing).split() == sorted(text(hearing).split())
    assert set(engine.asked) == {None}
    assert hearing.language == "en"


def test_a_language_stays_known_where_a_further_stage_has_nothing_to_hear(
    cache: ResultCache,
) -> None:
    said = talk(numbered(40), apart_ms=500)
    hearing_pass, playing = listener(
        [], cache, two_stages(uncertain_only=True), quick=said, slow=said
    )
    task = replace(TASK, language=None)

    hearing = hearing_pass.hear(noise(), task, [(), (), pass_words(said)], ignore)

    assert playing.asked("slow") == []
    assert hearing.language == "en"


def test_a_language_stays_where_another_is_only_guessed(cache: ResultCache) -> None:
    engine = Polyglot(spanish_from=22 * SAMPLE_RATE, sure=600)

    hearing = hear_polyglot(engine, cache)

    assert text(hearing).split().count("rubbish") == engine.asked.count("en") > 0
    assert hearing.language == "en"


def test_a_language_that_nobody_is_sure_of_is_asked_for_each_time(cache: ResultCache) -> None:
    engine = Polyglot(spanish_from=100 * SAMPLE_RATE, sure=400)

    hearing = hear_polyglot(engine, cache)

    assert set(engine.asked) == {None}
    assert hearing.language is None


def test_one_way_is_enough_where_two_passes_heard_a_window_before(cache: ResultCache) -> None:
    said = talk(numbered(20))
    hearing_pass, playing = listener(said, cache)
    words = pass_words(said)

    hearing_pass.hear(noise(21), TASK, [words, words], ignore)
    informed = len(playing.asked())
    hearing_pass.hear(noise(21), TASK, [words], ignore)

    ways = [len(window.search.ways) for window in playing.asked()]
    assert ways == [1] * informed + [2] * informed
