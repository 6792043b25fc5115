"""Suites that every implementation of a port must pass, real or scripted."""
