"""What API and workers share about a job: its record, its legal moves, its store and its doorbell.

`api` and `workers` import this package; it imports only `schemas`. Start with `moves.py`.
"""
