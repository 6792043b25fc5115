"""Tests of `streaming.weights`."""
