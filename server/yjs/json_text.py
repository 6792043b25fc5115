"""JSON that others will read too: valid for every strict parser, and not nested without end.

Attributes of text and presence states are JSON inside of binary formats. Python's parser takes what
JavaScript's or Rust's refuse: `NaN`, numbers beyond a double, halves of surrogate pairs.
"""

from __future__ import annotations

import json
import math
from typing import NoReturn

from server.yjs.varints import MAX_DEPTH


def parse_json(text: str) -> object:
    """Return the value of a JSON text; floats and large integers alike are doubles.

    Raises:
        ValueError: It is not JSON, or nested deeper than `MAX_DEPTH`; the message says what was
            expected, and shows nothing of the text.
    """
    try:
        value: object = json.loads(text, parse_int=_double, parse_float=_double, parse_constant=_no)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError("JSON") from error
    _check_depth(value, MAX_DEPTH)
    return value


def _double(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number that a double holds")
    return number


def _no(_constant: str) -> NoReturn:
    raise ValueError("no constant but true, false and null")


def _check_depth(value: object, depth: int) -> None:
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    else:
        return
    if not depth:
        raise ValueError(f"JSON with at most {MAX_DEPTH} levels of lists and maps")
    for item in inner:
        _check_depth(item, depth - 1)
