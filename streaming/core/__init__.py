"""The pure heart of the live pass: a state machine that returns the work it needs done.

It is fed audio and results, and gives back work and events. Standard library and numpy only: no
clock, thread, socket, environment, logging or model library. So tests can try any interleaving of
audio and late results; `tests/test_architecture.py` holds it to that.
"""
