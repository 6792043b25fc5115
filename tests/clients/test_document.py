"""What a document says, also where an editor wrote what it should not."""

from trax_client.document import (
    Person,
    Run,
    Saying,
    TranscriptSpeaker,
    Turn,
    as_person,
    as_runs,
    as_sayings,
    as_speakers,
    as_turn_speakers,
    as_turns,
    listed,
)


def test_runs_stand_where_they_stand_in_the_text() -> None:
    runs = [*as_runs([("ä\n", None), ("\n👋", {"t": "a", "g": "1:0:2"}), ("x", {"hl": "red"})])]
    assert runs == [
        Run(0, "ä\n"),
        Run(2, "\n", turn="a"),
        Run(3, "👋", segment="1:0:2"),
        Run(4, "x", highlight="red"),
    ]


def test_what_means_nothing_is_left_out() -> None:
    stretches = [({"image": "x"}, None), ("a", {"t": "typed after a turn", "hl": 7, "g": None})]
    assert [*as_runs(stretches)] == [Run(0, "a")]
    registers = {"a": "s1", "b": 7, "c": "s2"}, {"c": "s3", "d": 7}, {"s3": {"same": "s1"}}
    assert as_turn_speakers(*registers) == {"a": "s1", "c": "s1"}


def test_turns_begin_at_their_newlines() -> None:
    runs = as_runs([("a\n", None), ("\n", {"t": "x"}), ("b", None), ("\n", {"t": "y"})])
    turns = as_turns(runs, {"x": "s1", "y": "s2"}, {"s1": "Ann", "s2": ""})
    assert [(turn.id, turn.name, turn.text, turn.start, turn.end) for turn in turns] == [
        (None, "", "a\n", 0, 2),
        ("x", "Ann", "b", 3, 4),
        ("y", "s2", "", 5, 5),
    ]


def test_people_win_over_the_server_name_and_colour_each_for_itself() -> None:
    proposed = {"s1": {"name": "Speaker 1", "colour": "blue"}, "s2": 7}
    chosen = {"s1": {"name": "Ann"}, "s3": {"name": "x" * 300, "colour": 7}}
    assert as_speakers(proposed, chosen) == (
        TranscriptSpeaker("s1", "Ann", "blue", named=True),
        TranscriptSpeaker("s2", "", None),
        TranscriptSpeaker("s3", "x" * 200, None, named=True),
    )


def test_voices_of_which_nothing_is_left_are_not_listed_unless_people_named_them() -> None:
    proposed = {"s1": {"name": "Speaker 1"}, "s2": {"name": "Speaker 2"}, "s3": {}}
    speakers = as_speakers(proposed, {"s3": {"name": "Ann"}})
    turns = [Turn("a", 0, "s2", "Speaker 2", ()), Turn("b", 1, None, "", ())]
    assert [speaker.id for speaker in listed(speakers, turns)] == ["s2", "s3"]


def test_sayings_of_another_form_are_left_out() -> None:
    said = {"text": " and", "start_ms": 1, "end_ms": 2, "speaker": "s1"}
    state = {"trax": {"partials": {"a": said, "b": {"text": 7}, "c": None}}}
    assert [*as_sayings(state, {"s1": "Ann"}, {})] == [Saying("a", " and", 1, 2, "s1", "Ann")]
    assert [saying.speaker for saying in as_sayings(state, {}, {"s1": "s2"})] == ["s2"]
    assert not [*as_sayings({"trax": 7}, {}, {})]


def test_who_shows_no_name_is_nobody() -> None:
    assert as_person(7, {"user": {"name": "Zoë", "color": "red"}}) == Person(7, "Zoë", "red")
    assert as_person(7, {"cursor": {}}) is None
