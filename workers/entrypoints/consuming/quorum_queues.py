"""Declares the queues of calls and events as quorum queues, which survive the loss of a node.

Earlier releases used nameko's classic queues; after an upgrade those are replaced here.
"""

import logging

from amqp.exceptions import PreconditionFailed
from kombu import Connection, Queue
from kombu.exceptions import OperationalError

from errand.broker.connection import asking

log = logging.getLogger(__name__)


def declare_quorum_queue(connection: Connection, queue: Queue) -> None:
    """Declare `queue`; replace a classic queue of the same name once it has no consumers left.

    Raises OperationalError with a sentence while it has some, and what faults_of() names.
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
            f"{name} is a classic queue that other workers still consume; it is replaced once they have stopped"
        ) from None
    # the callers' timeouts report the loss, as when a worker dies; accepted jobs are never in this queue
    text = "Replaced the classic queue %s with a quorum queue and dropped %d calls that waited in it"
    log.warning(text, name, waiting or 0, extra={"action": "queue_replaced"})
