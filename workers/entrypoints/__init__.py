"""How work comes in to the workers: by doorbell (`doorbell.py`) and by call (`rpc.py`, over `call_consumer.py`).

Stands at step 3 of a job's life, between the broker and the services. Next: `doorbell.py`.
"""
