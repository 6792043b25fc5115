"""Tests of the Python client against `clients/vectors`."""
