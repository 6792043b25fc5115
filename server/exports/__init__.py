"""Transcripts as files that people take away: what they edited, with the times of the audio.

In reading order::

    formats        which there are, and `export`, which makes any of them
    transcript     what is exported: the values that every format is made of
    wording        how names, times and text are written where people read them
    json_document  for programs: everything, down to the words; the schema stands there
    plain_text, markdown, word_document    for readers
    captions       cuts turns into captions; subtitles writes them as srt and vtt
    rttm           for scoring diarization

All is pure: the same transcript gives the same bytes. People's text and names may hold
anything; each format keeps what it can hold, and escapes or drops the rest.
"""
