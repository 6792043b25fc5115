"""What the specification says of the shared transcript is what the server does."""

import re

from server.codes import CloseCode
from server.registers import LONGEST_NAME
from server.schema import SCHEMA
from server.transcript import ROOTS
from server.yjs.presence import EXPIRY_S
from tests.contracts.vectors import FOLDER

TEXT = (FOLDER.parent / "PROTOCOL.md").read_text()
SECTION = TEXT[TEXT.index("## 10. The shared transcript") : TEXT.index("## 11.")]
UNREAD = 1009
"""Sent by the WebSocket library: no frame that we would have to answer."""


def test_roots_of_the_document_are_those_of_the_server() -> None:
    rows = re.findall(r"^\| (`[^|]+`) \| Y\.", SECTION, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(ROOTS)


def test_who_is_sent_away_for_good_is_told_so_by_the_close_code() -> None:
    rows = re.findall(r"^\| (\d{4}) \| [^|]+ \| (yes|no)", SECTION, re.MULTILINE)
    assert {int(code) for code, _ in rows} - {UNREAD} <= set(CloseCode)
    for code, again in rows:
        final = int(code) == UNREAD or 4400 <= int(code) < 4500
        assert (again == "no") is final, code


def test_numbers_are_those_of_the_server() -> None:
    assert f"Version {SCHEMA} of the schema" in SECTION
    assert f"Names are shown up to {LONGEST_NAME} characters" in SECTION
    assert f"not heard of for {EXPIRY_S} s" in SECTION
