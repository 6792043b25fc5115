"""Accuracy, latency and endurance, measured: every number the documents claim comes from here.

    python -m loadtest accuracy        how right words and speakers are, without a server
    python -m loadtest latency FILE    how long words take, with clients that speak in real time
    python -m loadtest soak            one long session: is memory flat, is the last word there

Files in reading order: `recordings` (speech and its truth), `normalization` (when words are the
same), `scoring` and `diarization` (heard against said), `distribution`; `arrivals` (what a client
got); then the measurements:

- `accuracy` with `hearing` (a session without a server), `rules` (its settings) and `whole_file`
  (what it is compared with);
- `latency` with `word_latency` (from arrivals to numbers), and `soak`; both with `clients` (who
  speak) and `measured_server` (who listens, in a process of its own).

`report` makes tables and JSON, `progress` shows what is going on, `cli` is the command.
"""
