"""What crosses a border, as pydantic models: HTTP bodies, jobs, notifications, problems. No input or output here.

All packages import this one, and it imports nothing of Errand. Start with `jobs.py`.
"""
