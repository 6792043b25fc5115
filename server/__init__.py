"""The server: sockets, conversations, rooms, storage, and the command `trax`.

`server` may import `offline` and `streaming`; neither may import `server`.
"""
