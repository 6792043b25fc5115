"""The wire formats of Yjs as pure Python: bytes to checked values and back, without I/O.

What people's editors send is read here before it reaches the document, so that nothing malformed,
oversized or forged is ever applied. Files in reading order::

    varints     numbers, strings and bytes as lib0 writes them; json_text: JSON inside of them
    messages    frames of the y-websocket protocol: sync, awareness, auth
    structs     how the structs of an update are numbered
    contents    what one of them holds
    reading     all of them, one client after the other
    updates     a whole update inspected before it is applied; state vectors
    landmarks   what a document holds that decides where it can be written
    presence    who is in a room, and what each of them shows: the awareness states
    errors      everything that is raised here

Formats as of Yjs 13.6, lib0 0.2 and y-protocols 1.0. Nothing here imports pycrdt.
"""
