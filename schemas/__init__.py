"""What crosses a border, as pydantic models: HTTP bodies, the job, notifications, problems. No input or output here.

Stands at the bottom of the tree: everything imports it, it imports nothing of Errand. Start with `jobs.py`.
"""
