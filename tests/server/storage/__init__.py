"""Tests of `server.storage`; all of the store's run on SQLite and on PostgreSQL."""
