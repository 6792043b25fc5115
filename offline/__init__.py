"""What passes write into a text that people edit, and how it goes together (pure).

`offline` may import `streaming`, never `server`. Files in reading order::

    domain         what a transcript says: runs, segments, turns, words of passes
    edits          changes of its text, planned before they are made
    standing       which words of a segment still stand where people edited
    view           a transcript's text as a plan sees it
    placement      where newly heard words go
    arrangement    turns where voices change
    reconcile      the words of one pass in place of another's, where nobody touched them

The accurate pass, of which only what is marked so is pure::

    passes         which stages hear a session, and how (pure)
    ports          what the accurate pass needs of the world around it; audio: a recording in memory
    windows        from voice-activity scores to what a recognizer is to hear at once (pure)
    listening      what one recognizer hears in one window after another
    guards         what is not believed of it (pure)
    voting         several readings of one stretch of audio made one (pure)
    certainty      which windows are worth hearing again (pure)
    cache          results kept by what they were computed from
    accurate       all of it: audio and earlier words to better words
"""
