"""Other servers, spoken to in their own protocols, so that they are measured as we are.

A peer is named on the command line as `KIND=URL`:

    whisperlivekit=ws://127.0.0.1:8001/asr       WhisperLiveKit's own protocol
    deepgram=ws://127.0.0.1:8001/v1/listen       the Deepgram live protocol, which others speak too

Files in reading order: `screen` (what a peer shows, and since when), `whisperlivekit` and
`deepgram` (from messages to screens, without a socket), and `calling` (the socket).
"""
