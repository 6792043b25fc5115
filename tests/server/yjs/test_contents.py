"""Contents of single items: their lengths, and what is refused of them."""

import pytest

from server.yjs.contents import FORBIDDEN_CONTENTS, Contents, Kind
from server.yjs.errors import ForbiddenContent, MalformedYjs
from server.yjs.structs import Id, Range
from server.yjs.varints import Reader, write_text
from tests.server.yjs.writing import NULL, numbers


@pytest.mark.parametrize(
    ("number", "content", "length", "kind"),
    [
        (1, numbers(7), 7, Kind.DELETED),
        (4, write_text("a😀"), 3, Kind.STRING),
        (6, write_text("bold") + write_text("true"), 1, Kind.FORMAT),
        (7, numbers(0), 1, Kind.ARRAY),
        (7, numbers(1), 1, Kind.MAP),
        (7, numbers(2), 1, Kind.TEXT),
        (8, numbers(2) + NULL * 2, 2, Kind.ANY),
    ],
)
def test_content_takes_ticks_of_its_clients_clock(
    number: int, content: bytes, length: int, kind: Kind
) -> None:
    contents = Contents()
    reader = Reader(content)

    assert contents.read(reader, number, client=5, clock=10) == 10 + length

    reader.end()
    assert contents.kinds == {kind}


def test_contents_are_added_up() -> None:
    contents = Contents()
    clock = contents.read(Reader(write_text("é😀x😀")), 4, client=5, clock=0)
    clock = contents.read(Reader(write_text("abc")), 4, client=5, clock=clock)
    clock = contents.read(Reader(numbers(2)), 7, client=5, clock=clock)
    clock = contents.read(Reader(numbers(3)), 1, client=5, clock=clock)
    clock = contents.collect(Reader(numbers(4)), client=5, clock=clock)

    assert clock == 17
    assert contents.units == 9
    assert contents.halves == {5: {2, 5}}
    assert contents.types == {Id(5, 9)}
    assert contents.dead == {5: [Range(10, 13), Range(13, 17)]}


@pytest.mark.parametrize("number", FORBIDDEN_CONTENTS)
def test_forbidden_content_is_named(number: int) -> None:
    with pytest.raises(ForbiddenContent, match=f"got {FORBIDDEN_CONTENTS[number]}$"):
        Contents().read(Reader(b""), number, client=1, clock=0)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (3, "xml element"),
        (4, "xml fragment"),
        (5, "xml hook"),
        (6, "xml text"),
        (7, "weak link"),
        (9, "subdocument"),
        (15, "undefined type"),
    ],
)
def test_forbidden_types_are_named(number: int, name: str) -> None:
    with pytest.raises(ForbiddenContent, match=f"got {name}$"):
        Contents().read(Reader(numbers(number)), 7, client=1, clock=0)


@pytest.mark.parametrize(
    ("number", "content", "said"),
    [
        (0, b"", "expected a kind of content, 1..11, got 0"),
        (12, b"", "expected a kind of content, 1..11, got 12"),
        (31, b"", "expected a kind of content, 1..11, got 31"),
        (1, numbers(0), "a length of at least 1, got 0"),
        (4, write_text(""), "expected text, got none"),
        (6, write_text("bold") + write_text("tru"), "byte 5: expected JSON, got something else"),
        (6, write_text("b") + write_text("[" * 33 + "]" * 33), "at most 32 levels"),
        (7, numbers(8), "expected a shared type, got 8"),
        (7, numbers(16), "expected a shared type, got 16"),
        (8, numbers(0), "a length of at least 1, got 0"),
        (8, numbers(3) + NULL * 2, "expected one more byte"),
    ],
)
def test_content_that_yjs_would_not_write_is_refused(
    number: int, content: bytes, said: str
) -> None:
    with pytest.raises(MalformedYjs) as refused:
        Contents().read(Reader(content), number, client=1, clock=0)

    assert said in str(refused.value)
