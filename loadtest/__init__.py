"""Accuracy, latency and endurance, measured: every number the documents claim comes from here.

    python -m loadtest accuracy        how right words and speakers are, without a server

Files in reading order: `recordings` (speech and its truth), `normalization` (when words are the
same), `scoring` and `diarization` (heard against said), `distribution`; `arrivals` (what a client
got); then the measurements. `accuracy` with `hearing` (a session without a server), `rules` (its
settings) and `whole_file` (what it is compared with). `report` makes tables and JSON, `cli` is
the command.
"""
