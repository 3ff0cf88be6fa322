"""The API: accepts jobs, reports on them, documents itself. Needs the extra `[api]`; imports nothing of the workers.

Stands at steps 1 and 2 of a job's life. `__main__.py` starts it, `app.py` puts it together; the story of a job begins
in `api/jobs/submit.py`.
"""
