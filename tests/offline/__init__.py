"""Tests of `offline`."""
