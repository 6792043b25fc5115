"""Names of files that people take away."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.api.filenames import attachment


@pytest.mark.parametrize(
    ("title", "header"),
    [
        ("Weekly", 'filename="Weekly.txt"'),
        ("", 'filename="transcript.txt"'),
        (" ... ", 'filename="transcript.txt"'),
        ("../../etc/passwd", 'filename="etc passwd.txt"'),
        ('a"b\r\nc', 'filename="a b c.txt"'),
        ("Jörg", "filename=\"J_rg.txt\"; filename*=UTF-8''J%C3%B6rg.txt"),
        ("100 %", "filename=\"100 _.txt\"; filename*=UTF-8''100%20%25.txt"),
        ("a" * 500, f'filename="{"a" * 100}.txt"'),
    ],
)
def test_a_file_is_called_as_its_transcript(title: str, header: str) -> None:
    assert attachment(title, ".txt") == f"attachment; {header}"


@given(st.text())
def test_no_title_breaks_the_header(title: str) -> None:
    header = attachment(title, ".txt")

    found = re.fullmatch(
        r"""attachment; filename="([ !#-~]+)"(?:; filename\*=UTF-8''([\w.%~-]+))?""",
        header,
        re.ASCII,
    )
    assert found is not None
    assert found[1].endswith(".txt")
    assert "/" not in unquote(found[2] or found[1])
