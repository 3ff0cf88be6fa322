"""Finds out why a call to a service has no reply: no instance takes calls, or the instances take too long."""

from kombu import Connection

from errand.broker.call_messages import service_missing
from errand.errors import ErrandError, ServiceSlow
from errand.topology import calls_queue


def why_unanswered(connection: Connection, service: str) -> ErrandError:
    """Ask the broker how many consumers the service's queue has; raises what `connection.faults_of` names."""
    channel = connection.channel()
    try:
        queue = channel.queue_declare(queue=calls_queue(service), passive=True)
    except connection.channel_errors:
        return service_missing(service)
    channel.close()
    # the embedded broker doesn't count readers; there, a message that nobody has fetched shows that none is left
    amqp = connection.transport.driver_type == "amqp"
    if queue.consumer_count == 0 if amqp else queue.message_count > 0:
        return service_missing(service)
    return ServiceSlow(f"{service} did not answer in time; it may still carry out the call.")
