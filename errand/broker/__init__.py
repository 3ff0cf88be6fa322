"""The broker: how a doorbell is rung. RabbitMQ, or the embedded one (`embedded.py`) on the store's own server.

Stands behind step 2 of a job's life. `connection.py` opens and declares, `publisher.py` publishes in windows of
confirms. Next: `publisher.py`.
"""
