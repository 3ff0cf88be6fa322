"""Chaos: jobs over HTTP while every kind of process is killed or held up, and a ledger of what became of each job.

Stands beside the product, as `bench/` does. `python -m chaos`, or `make chaos JOBS=10000`; next: `__main__.py`.
"""
