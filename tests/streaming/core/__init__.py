"""Tests of `streaming.core`: no clock, model, socket or mock."""
