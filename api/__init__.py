"""The API: accepts jobs, reports on them, documents itself. Needs the extra `[api]`; never imports `workers`.

`__main__.py` starts it and `app.py` assembles it; a job begins in `api/jobs/submit.py`.
"""
