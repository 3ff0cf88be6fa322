"""Small nameko services, each in a process of its own: `python -m tests.support.rpc_service AMQP_URI NAME`.

What the tests call to learn how the rpc entrypoint and the brokers behave; runs in nameko's plain container.
"""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet

    eventlet.monkey_patch()

import os
import signal
import sys

from eventlet.event import Event
from nameko.containers import ServiceContainer
from nameko.events import event_handler

from errand.broker.connection import open_connection
from errand.errors import JobRefused
from errand.process import logs
from workers.entrypoints.rpc import rpc

SECRET = "the password is swordfish"
heard: list[object] = []
waiting: list[Event] = []


class Testbed:
    """Is called."""

    name = "testbed"

    @rpc
    def add(self, left, right):
        return left + right

    @rpc
    def gather(self, count):
        """Return once `count` calls are in here."""
        mine = Event()
        waiting.append(mine)
        if len(waiting) == count:
            for event in waiting:
                event.send()
            waiting.clear()
        mine.wait()
        return count

    @rpc
    def refuse(self):
        raise JobRefused("value: give a number")

    @rpc(expected_exceptions=LookupError)
    def look_up(self):
        raise KeyError("colour")

    @rpc
    def break_down(self):
        raise RuntimeError(SECRET)

    @rpc
    def unserialisable(self):
        return object()

    @rpc
    def nap(self, seconds):
        """Take as long as this."""
        with eventlet.Timeout(seconds, exception=False):
            Event().wait()
        return seconds

    @rpc
    def pid(self):
        return os.getpid()


class Listener:
    """Hears events, with nameko's own entrypoint."""

    name = "listener"

    @event_handler("source", "ping")
    def on_ping(self, payload):
        heard.append(payload)

    @rpc
    def heard(self):
        return heard


def main(amqp_uri, name):
    logs.configure("DEBUG")
    open_connection(amqp_uri)  # installs the embedded broker where it is one
    container = ServiceContainer({each.name: each for each in (Testbed, Listener)}[name], {"AMQP_URI": amqp_uri})
    ended = Event()
    signal.signal(signal.SIGTERM, lambda *_: eventlet.spawn_n(ended.send))
    starting = eventlet.spawn(container.start)
    died = eventlet.spawn(container.wait)
    died.link(lambda _: None if ended.ready() else ended.send(died))
    if ended.wait() is not None:
        died.wait()  # raises what it died of
        return 1
    if starting.dead:
        container.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
