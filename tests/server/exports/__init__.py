"""Exports, each read back by somebody else's reader."""
