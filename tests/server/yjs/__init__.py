"""Tests of `server.yjs`: written bytes, real Yjs in fixtures.json, and yrs itself."""
