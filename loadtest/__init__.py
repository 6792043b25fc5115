"""Accuracy, latency and endurance, measured: every number the documents claim comes from here.

    python -m loadtest accuracy        how right words and speakers are, without a server
    python -m loadtest latency FILE    how long words take, with clients that speak in real time
    python -m loadtest soak            one long session: is memory flat, is the last word there
    python -m loadtest editors         how long edits take to other editors, and documents to open
    python -m loadtest crashes         kill -9 again and again: is anything missing
    python -m loadtest jobs            how soon jobs begin, and again after a kill -9

Files in reading order: `recordings` (speech and its truth), `normalization` (when words are the
same), `scoring` and `diarization` (heard against said), `distribution`; `arrivals` (what a client
got); then the measurements:

- `accuracy` with `hearing` (a session without a server), `rules` (its settings) and `whole_file`
  (what it is compared with);
- `latency` with `word_latency` (from arrivals to numbers), and `soak`; both with `clients` (who
  speak) and `measured_server` (who listens, in a process of its own);
- `editors` (from edit to edit) with `editors_typing` (what is typed), `editors_link` (over what),
  `editors_documents` (long ones) and `editors_lag` (is the server's event loop free), and
  `editors_tasks`;
- `jobs`;
- `crashes` with `crashes_editor` (who carries on by itself) and `crashes_audit` (what is missing).

`report`, `editors_report` and `crashes_report` make tables and JSON, `progress` shows what is going
on, `cli` is the command.
"""
