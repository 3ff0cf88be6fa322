"""The job itself, shared by API and workers: its record, its legal moves, its store and its doorbell.

Stands under both sides: `api` and `workers` import it, it imports only `schemas`. Start with `moves.py`.
"""
