"""Tests, laid out as the packages are.

`streaming/core/agreement.py` is covered wholly by `tests/streaming/core/test_agreement.py`.
"""
