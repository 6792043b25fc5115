"""What passes write into a text that people edit, and how it goes together (pure).

`offline` may import `streaming`, never `server`. Files in reading order::

    domain         what a transcript says: runs, segments, turns, words of passes
    edits          changes of its text, planned before they are made
    standing       which words of a segment still stand where people edited
    view           a transcript's text as a plan sees it
    placement      where newly heard words go
    arrangement    turns where voices change
    reconcile      the words of one pass in place of another's, where nobody touched them
    ports          what the accurate pass needs of the world around it
    windows        from voice-activity scores to what a recognizer is to hear at once
"""
