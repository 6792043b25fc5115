"""What passes write into a text that people edit, and how it goes together (pure).

`offline` may import `streaming`, never `server`. Files in reading order::

    domain         what a transcript says: runs, segments, turns, words of passes
    edits          changes of its text, planned before they are made
    standing       which words of a segment still stand where people edited
    view           a transcript's text as a plan sees it
    placement      where newly heard words go
    arrangement    turns where voices change
    reconcile      the words of one pass in place of another's, where nobody touched them

Around it, which is not pure::

    jobs           what is to be heard again, and how far that is; results: what was heard
    queue          what wakes workers up; the only module that knows dramatiq and redis
    worker         who hears it, in a process of its own
"""
