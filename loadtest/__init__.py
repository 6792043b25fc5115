"""Accuracy, latency and endurance, measured: every number the documents claim comes from here.

    python -m loadtest accuracy        how right words and speakers are, without a server
    python -m loadtest latency FILE    how long words take, with clients that speak in real time
    python -m loadtest streams         how many streams keep real time, without and with speakers
    python -m loadtest lookahead       latency and errors against the look-ahead
    python -m loadtest soak            one long session: is memory flat, is the last word there
    python -m loadtest crowd           what sessions cost in which nobody speaks
    python -m loadtest editors         how long edits take to other editors, and documents to open
    python -m loadtest crashes         kill -9 again and again: is anything missing
    python -m loadtest living          edit what is being said, lose connections: is all of it there
    python -m loadtest corrections     how soon stretches and documents are corrected, at what cost
    python -m loadtest jobs            how soon jobs begin, and again after a kill -9
    python -m loadtest page            how fast the web page is with a long meeting

Files in reading order: `recordings` (speech and its truth), `normalization` (when words are the
same), `scoring` and `diarization` (heard against said), `distribution`; `arrivals` (what a client
got); then the measurements:

- `accuracy` with `hearing` (a session without a server), `rules` (its settings), `passes` (what
  hears after it, in processes of their own), `whole_file` (what it is compared with) and `cpwer`
  (words and speakers at once);
- `latency` with `word_latency` (from arrivals to numbers), and `soak`; both with `clients` (who
  speak), `measured_server` (who listens, in a process of its own) and `scripted` (without models);
- `streams` and `lookahead`, which repeat `latency`; `rivals` (which servers), `peers` (those of
  others, in their own protocols) and `comparison` (side by side);
- `crowd`, by itself;
- `editors` (from edit to edit) with `editors_typing` (what is typed), `editors_link` (over what),
  `editors_documents` (long ones) and `editors_lag` (is the server's event loop free);
- `crashes` with `servers` (one after another), `speaker` and `crashes_editor` (who carry on by
  themselves) and `crashes_audit` (what is missing);
- `living` with `living_editor` and `node/editor.js` (who edit, the latter run by `node_scripts`),
  `relay` (what breaks their connections), `living_account` (what they did), `living_replica` (what
  they show) and `living_audit` (what of it is missing);
- `fuzz` with `fuzz_people` and `fuzz_speech`: what is corrected is edited at random;
- `jobs`, by itself;
- `page` (the web page in Chromium, which `node/page.js` drives) with `page_meeting`;
- `corrections` (of a meeting that goes on) and `corrections_meeting` (of a long document, with
  `node/cursors.js` in it).

`tasks` groups what runs at once, of all measurements; `report`, `accuracy_report`,
`editors_report` and others make tables and JSON, with the `machine`, `plots` pictures;
`progress` shows what is going on; `cli` is the command, with `options` and their `values`,
`accuracy_command`, `editors_command` and others.
"""

import streaming  # noqa: F401 - says what libraries read when they are imported; so before all
