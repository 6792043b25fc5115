"""What lasts of transcripts, besides their audio: in SQLite, or in PostgreSQL when it is outgrown.

The files in reading order::

    values       what is given and given back; errors: what may go wrong
    store        the way in, for the rest of the server: `Store`
    library      transcripts as a whole; searching: what they are found by
    links        who is let in
    documents    the shared documents: an append log with snapshots
    sessions     who speaks into a transcript, and the voices that are heard
    passes       what was heard: words, kept outside the document
    merges       what became of accurate passes
    jobs         what is to be heard again; claims: who hears it; job_rows: how they are read
    uploads      recordings that came as files
    leases       why two writers never mix (all of these begin here)
    database     connections and transactions; faults: whose mistake an error of theirs is
    tables       the tables as they are now; migrations: how they came to be so

The way of some words that became final: the room makes a `Batch` of the document's update, the
words and the number of the session's event. `Documents.append` writes it in one transaction. Only
then is the update sent to anybody, so that nothing that was seen is ever missing.
"""
