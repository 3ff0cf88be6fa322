"""Empties the doorbell queues between two phases of the peers' benchmark. `python -m bench.purge`."""

import os
from contextlib import suppress

from amqp.exceptions import NotFound
from kombu import Connection

from errand.topology import DOORBELLS, doorbell_name

if __name__ == "__main__":
    uri = os.environ.get("AMQP_URI", "amqp://guest:guest@127.0.0.1:5672//")
    with Connection(uri) as connection:
        for queue in DOORBELLS:
            with suppress(NotFound), connection.channel() as channel:
                channel.queue_purge(doorbell_name(queue))
