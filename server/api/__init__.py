"""Transcripts over plain HTTP: `/v1/transcripts`, `/v1/models` and `/openapi.json`.

The way of a request, and the files in reading order::

    routes         every path with its operations: the table that the rest is made of
    operation      what an operation is: who may do it, what it takes, what it answers
    resource       one path: origin, method, token, then the operation; errors become JSON
      parsing      query and body, checked against the models in `requests`
      errors       why a request is refused
      answers      models of what is answered
      workbench    a thread for long computations
    transcripts, words, turns, audio, exports, links    the operations, by subject
    uploads, passages, jobs, job_events    what is heard once more, and how far that is
    models         which recognizers may do that
    description    the table as an OpenAPI document

Everything is checked before an operation begins, by pydantic models that the description is made of
as well. An operation touches a shared document in the event loop only, takes values out of it, and
computes with them in a thread.
"""
