"""What passes write into a text that people edit, and how it goes together (pure).

`offline` may import `streaming`, never `server`. Files in reading order::

    domain         what a transcript says: runs, segments, turns, words of passes
    decisions      where passes differ, and what became of it
    suggestions    what people are shown where they had edited
    edits          changes of the document, planned before they are made
    standing       which words of a segment still stand where people edited
    view           a transcript's text as a plan sees it
    placement      where newly heard words go
    arrangement    turns where voices change
    belief         what machines take for said, after all passes
    comparison     what one more pass hears otherwise
    reconcile      its words in place of those before, where nobody touched them

Around it, which is not pure::

    jobs           what is to be heard again, and how far that is; results: what was heard
    queue          what wakes workers up; the only module that knows dramatiq and redis
    worker         takes jobs, and has them heard; child: the process that hears
    scripted       hears what a script says, for tests
"""
