"""What `make run` and `make demo` bring along, so that a fresh machine needs no server: Valkey and a mail catcher.

Stands around the life of a job, never in it: nothing else imports this package. Start with `run.py`.
"""
