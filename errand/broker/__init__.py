"""The broker: RabbitMQ, or the embedded one on the store's own server.

`connection.py` opens connections and declares queues, `publisher.py` publishes doorbells and events, `caller.py` calls
services, and `embedded/` is the embedded broker.
"""
