"""The workers: nameko services that compute, send mails and webhooks, and rescue jobs. Needs the extra `[workers]`.

Imports nothing of the API. `__main__.py` starts the services; a job is run in `workers/compute/service.py`.
"""
