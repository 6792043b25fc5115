"""What files are called that people take away."""

from __future__ import annotations

import re
from urllib.parse import quote

LONGEST_NAME = 100
UNTITLED = "transcript"

# What Windows, macOS or a shell take for something else; and a dot at the start hides a file.
_UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069/\\:*?"<>|]+')
_BEYOND_ASCII = re.compile(r"[^ -~]|[%;']")


def attachment(title: str, suffix: str) -> str:
    """Return a `Content-Disposition` (RFC 6266) for a transcript with this title.

    Args:
        title: Anything that people wrote.
        suffix: How the name ends, with its dot.
    """
    name = _UNFIT.sub(" ", title)[:LONGEST_NAME].strip(" .") or UNTITLED
    plain = _BEYOND_ASCII.sub("_", name)
    header = f'attachment; filename="{plain}{suffix}"'
    if plain == name:
        return header
    return f"{header}; filename*=UTF-8''{quote(name + suffix, safe='', errors='replace')}"
