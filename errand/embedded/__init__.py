"""`make run` and `make demo`, with the servers that a fresh machine lacks: Valkey and a mail catcher.

Nothing else in the product imports this package. Start with `run.py`.
"""
