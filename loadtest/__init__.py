"""Load, accuracy and latency measurements: scenarios, virtual clients and their reports.

Every number the documents claim comes from a command kept here.
"""
