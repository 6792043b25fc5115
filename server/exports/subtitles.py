r"""Captions as SubRip (.srt) and WebVTT (.vtt).

Written by hand, since pysubs2 1.8.1 does harm when it writes: it takes `\n` and `\h` in people's
text for line breaks and spaces, and stops counting at 100 hours, which a transcript of a weekly
meeting exceeds.

SubRip has no escapes. What players would take for a tag, an override or an arrow is told apart by
an invisible word joiner: the text looks the same, and nothing of it is lost.
"""

from __future__ import annotations

import re
from html import escape

from server.exports.captions import Caption, Naming, captions
from server.exports.transcript import ExportedTranscript
from server.exports.wording import speaker_name

_WORD_JOINER = "\u2060"
_SPECIAL_IN_SRT = re.compile(r"<(?=[/!\w\s])|\{(?=\\)|--(?=>)")


def write_srt(transcript: ExportedTranscript) -> bytes:
    """Return the transcript's captions as SubRip in UTF-8, named where the speaker changes."""
    return "".join(
        f"{number}\n{_span(caption, ',')}\n{_srt_text(caption)}\n\n"
        for number, caption in enumerate(captions(transcript, Naming.IN_TEXT), 1)
    ).encode()


def write_vtt(transcript: ExportedTranscript) -> bytes:
    """Return the transcript's captions as WebVTT, each with its speaker as voice.

    See https://www.w3.org/TR/webvtt1/, sections 4.1 and 4.2.2.
    """
    cues = [
        f"\n{_span(caption, '.')}\n{_vtt_text(transcript, caption)}\n"
        for caption in captions(transcript, Naming.APART)
    ]
    return "".join(["WEBVTT\n", *cues]).encode()


def _srt_text(caption: Caption) -> str:
    return _SPECIAL_IN_SRT.sub(rf"\g<0>{_WORD_JOINER}", "\n".join(caption.lines))


def _vtt_text(transcript: ExportedTranscript, caption: Caption) -> str:
    text = escape("\n".join(caption.lines), quote=False)
    name = escape(speaker_name(transcript, caption.speaker), quote=False)
    # A name that ends with hyphens must not become an arrow; players drop the space.
    space = " " if name.endswith("-") else ""
    return f"<v {name}{space}>{text}" if name else text


def _span(caption: Caption, point: str) -> str:
    return f"{_clock(caption.start_ms, point)} --> {_clock(caption.end_ms, point)}"


def _clock(at_ms: int, point: str) -> str:
    minutes, seconds = divmod(at_ms // 1000, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{point}{at_ms % 1000:03}"
