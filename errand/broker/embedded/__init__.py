"""The embedded broker, for `AMQP_URI=redis://…`: kombu's Redis transport, changed so that all of nameko works on it.

`errand/broker/connection.py` installs it. Keys and messages are kombu's own, so a client that doesn't load this package
(`nameko shell --broker redis://…`) shares the queues.
"""
