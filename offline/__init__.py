"""The accurate pass: a recording heard once more, its result merged with what people edited.

`offline` may import `streaming`, never `server`.
"""
