"""Chaos test: submits jobs over HTTP, kills and pauses every kind of process, and checks what became of each job.

Start it with `python -m chaos`, or `make chaos JOBS=10000`. Next: `__main__.py`.
"""
