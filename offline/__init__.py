"""What passes write into a text that people edit, and how it goes together (pure).

`offline` may import `streaming`, never `server`. Files in reading order::

    domain         what a transcript says: runs, segments, turns, words of passes
    decisions      where passes differ, and what became of it
    suggestions    what people are shown where they had edited
    edits          changes of the document, planned before they are made
    history        what became of all that passes heard, to look things up in
    standing       which words of a segment still stand where people edited
    page           a text in runs, and what is looked up in it
    view           a transcript's text as a plan sees it
    places         where words belong that were said at some time
    placement      and so where newly heard ones go
    echo           which words two microphones both heard
    doubles        and so are written once
    arrangement    turns where voices change
    belief         what machines take for said, after all passes
    matching       which words of two hearings are the same ones
    comparison     what one more pass hears otherwise
    casting        which speakers the voices of an accurate pass are, by time
    voices         and by what they sound like
    reconcile      its words in place of those before, where nobody touched them
    portions       a long pass in parts, each of which is corrected by itself
    review         suggestions, where somebody touched them
    copying        what a document shows of one pass that nobody has edited

The accurate pass, of which only what is marked so is pure::

    passes         which stages hear a session, and how (pure)
    ports          what the accurate pass needs of the world around it; audio: a recording in memory
    windows        from voice-activity scores to what a recognizer is to hear at once (pure)
    listening      what one recognizer hears in one window after another
    guards         what is not believed of it (pure)
    voting         several readings of one stretch of audio made one (pure)
    certainty      which windows are worth hearing again (pure)
    layers         what was taken for said after passes over parts of a session (pure)
    cache          results kept by what they were computed from
    diarization    who speaks when in a stretch of a session
    speaking       and so who says which word; speaker_correction: by what is said (both pure)
    accurate       audio and earlier words to better words
    voiced         and to the voices that say them

Around both::

    jobs           what is to be heard again, and how far that is; results: what was heard
    queue          what wakes workers up; the only module that knows dramatiq and redis
    worker         takes jobs, and has them heard; child: the process that hears
"""
