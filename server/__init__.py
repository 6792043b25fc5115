"""The server: sockets, conversations, recordings, and the command `trax`.

`server` may import `offline` and `streaming`; neither may import `server`.

The way of one chunk of audio, and the files in reading order::

    stream         who gets a connection at all: origin, subprotocol, token
    connection     one WebSocket: reads, tells, and says goodbye
    conversation   what a client may say, and when (pure); messages and wire: its vocabulary
    sessions       all sessions: begun, resumed, expired, taken up from the disk
    session        one session: audio to disk and live pass, words to disk and client
      resampling   to 16 kHz in 16 bits (pure)
      disk         worker threads for files; recordings and journal: what they hold
      voices       names of speakers over interruptions (pure)
      outbox       what a client has still to be told, bounded
      translation  from the core's events to messages (pure)
    terms, admission, telemetry: what was agreed, who is let in, what operators see

The way of a word into a document that people edit meanwhile::

    transcripts    sessions and the transcripts that they speak into
      dictation    a session's events as changes of the document
      acquaintance who the voices of sessions are in the transcript
      rehearing    what of a session is heard again, and when
    rooms          the transcripts that are open
      room         one of them: document, members; contents: what else it knows
      machine      what machines write there, on a replica; planner: in which thread
      settling     what goes again, because several microphones heard it
      commits      changes on their way to the storage, and then to everybody
      store_threads who waits for it; stored: a document as it is there
      member       one connection in it; mailbox: what it is still to be sent; allowance: its share
    jobs           what is to be heard again, by workers in any process
      worker       those here or of `trax worker`; hearing: what their children do
      corrections  what they heard, taken into the documents; cursors: where it has to wait
    audio, audio_store: recordings on the clock of a transcript, and where they are kept
    transcript     the document itself; the only module that knows pycrdt
      mirror       its text, kept up to date with what is changed in it
      authorship   and what of it machines wrote
      registers    what else stands in it
    sync           the WebSocket of an editor; access: what it may do; visits: for how long
    yjs, storage   the wire formats of Yjs (pure); everything that lasts, in SQL
    api, alignment, exports: HTTP, when edited words were said, and what people take away

The way of a recording that comes as a file::

    uploads        received, looked into, and made a session of a transcript
      upload_files its place on disk until it is decoded
      upload_pace  how slowly it may come
      unpacking    decoding in a process of its own; media: what that process does
    transcribing   the same without a server, and transcribe_command: `trax transcribe`

Around it: `cli` and `__main__` (the command), `options`, `settings` and `defaults`, `serving` (the
process: folder, socket, signals), `punctuality` (requests that do not arrive), `gone` (WebSockets
whose client left before they were open), `app` (where every object is made), `lifecycle`,
`collector`, `memory`, `health`, `auth`, `logs`, `errors`, `codes`, and the commands `doctor` with
`speed`, `model_commands`, `pass_commands` and `job_commands`.
"""
