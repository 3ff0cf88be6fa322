"""Declares the queue of a service's calls, which survives the loss of a node; an older one is replaced.

Stands under `rpc.py`, beside the life of a job. Before, calls came in nameko's classic queues, and an upgrade finds
these on its broker.
"""

import logging

from amqp.exceptions import PreconditionFailed
from kombu import Connection, Queue
from kombu.exceptions import OperationalError

from errand.broker.connection import asking

log = logging.getLogger(__name__)


def declare_calls(connection: Connection, queue: Queue) -> None:
    """Declare `queue`, in place of a classic one of its name that nobody listens to any more.

    Raises OperationalError with a sentence while somebody does, and what faults_of() names.
    """
    try:
        _declare(connection, queue)
    except PreconditionFailed as fault:
        if "x-queue-type" not in str(fault):
            raise
        _delete(connection, queue.name)
        _declare(connection, queue)


def _declare(connection: Connection, queue: Queue) -> None:
    with asking(connection) as channel:
        queue(channel).declare()


def _delete(connection: Connection, name: str) -> None:
    try:
        with asking(connection) as channel:
            waiting = channel.queue_delete(name, if_unused=True)
    except PreconditionFailed:
        raise OperationalError(
            f"{name} is a classic queue that others listen to; once these workers have stopped it is replaced"
        ) from None
    # their callers are told by their timeouts, as when a worker dies: what was accepted isn't in this queue
    text = "Replaced the classic queue %s by a quorum queue, and dropped %d calls that waited in it"
    log.warning(text, name, waiting or 0, extra={"action": "queue_replaced"})
