"""Tests of `streaming.engines`; those that need real weights are marked `models`."""
