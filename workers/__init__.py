"""The workers: nameko services that compute, mail and rescue. Needs the extra `[workers]`; imports nothing of the
API.

Stands at steps 3 to 6 of a job's life. `__main__.py` starts them; the story of a job goes on in
`workers/compute/service.py`.
"""
