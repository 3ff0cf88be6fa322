"""The one place of the API where the real parts are chosen; a WSGI server calls `make` in each of its processes.

Stands before step 1 of a job's life. Next: `app.py`.
"""

import signal
import socket
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.util import Finalize
from threading import Thread
from typing import Final

from api.app import Api, create_app
from api.dispatch.dispatcher import RequestDispatcher
from api.dispatch.submit_thread import SubmitThread
from api.doorbells.relay import Relay
from api.extending import CALLERS
from errand.process import heap
from errand.process.lifeline import tie_to
from errand.settings import Settings
from errand.store import Store

STOPS: Final = {signal.SIGTERM, signal.SIGINT}


_prepared: list[Api] = []


def prepare(settings: Settings) -> None:
    """Make the app before the processes are forked: it is then in memory once, not once for each.

    Nothing is opened or started by it, and plug-ins are not asked to make such a promise: with some it isn't done.
    """
    if not settings.examples_list:
        _prepared.append(_app(settings))


def _app(settings: Settings) -> Api:
    store = Store.connect(settings)
    return create_app(settings, store, Relay(settings, store))


def make() -> Api:
    """Give the app of this process and start its relay. Never call it before a fork: threads don't survive one."""
    if (parent := parent_process()) and parent.pid:
        # without its parent nobody would restart it, and it would keep the port from whoever takes the parent's place
        tie_to(parent.pid, signal.SIGKILL)
    app = _prepared[0] if _prepared else _app(Settings.load_or_exit())
    errand = app.extensions["errand"]
    settings, relay = errand.settings, errand.relay
    relay.start()
    express = SubmitThread()
    express.start()
    RequestDispatcher(settings.api_streams, settings.api_threads, express).install()
    # Streams end when the stop begins, for granian waits until all requests are answered, and then for nothing else.
    when_told_to_stop(errand.watch.close)
    # Unlike atexit, this also runs at the end of a process that multiprocessing forked, as granian's are.
    Finalize(None, relay.stop, exitpriority=10)
    Finalize(None, app.extensions[CALLERS].close, exitpriority=10)
    heap.settle()
    return app


def when_told_to_stop(act: Callable[[], None]) -> None:
    """Call `act` in a thread as soon as SIGTERM or SIGINT arrives, whoever handles it. For the main thread only.

    granian installs its handlers after `make`, over any of ours; but Python also writes the number of each signal it
    handles to a file of our choice.
    """
    inner, outer = socket.socketpair()
    outer.settimeout(0)  # whoever writes never waits
    signal.set_wakeup_fd(outer.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        with outer:  # it must stay open, for it is written to
            while True:
                if STOPS & set(inner.recv(64)):
                    act()

    Thread(target=listen, name="stop", daemon=True).start()
