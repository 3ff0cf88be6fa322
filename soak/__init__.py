"""Soak test: runs Errand at half of full load for a long time, and reports everything that grows but must not.

It runs the processes of `chaos/deployment.py`. Start it with `make soak MINUTES=30`. Next: `__main__.py`.
"""
