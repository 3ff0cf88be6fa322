"""Makes the app of one API process from its real parts; granian calls `make` in each process.

Next: `api/app.py`, which assembles them.
"""

import signal
import socket
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.util import Finalize
from threading import Thread
from typing import Final

from api.app import Api, create_app
from api.caller_pool import CallerPool
from api.dispatch.dispatcher import RequestDispatcher
from api.dispatch.submit_thread import SubmitThread
from api.doorbells.relay import Relay
from api.extending import CALLERS
from errand.broker.caller import Caller
from errand.process import garbage_collection
from errand.process.parent_death import die_with_parent
from errand.settings import Settings
from errand.store import Store

STOP_SIGNALS: Final = {signal.SIGTERM, signal.SIGINT}

_prepared: list[Api] = []
"""The app that `prepare` made, if it did."""


def prepare(settings: Settings) -> None:
    """Make the app before the processes are forked, so that they share its memory.

    Making it opens no connection and starts no thread. Plug-ins don't promise that, so nothing is prepared with any.
    """
    if not settings.plugin_paths:
        _prepared.append(_app(settings))


def _app(settings: Settings) -> Api:
    store = Store.connect(settings)
    return create_app(settings, store, Relay(settings, store))


def make() -> Api:
    """Return the app of this process and start its threads. Never call it before a fork: threads don't survive one."""
    if (parent := parent_process()) and parent.pid:
        # without its parent nobody would restart this process, and it would keep the port from the next parent
        die_with_parent(parent.pid, signal.SIGKILL)
    app = _prepared[0] if _prepared else _app(Settings.load_or_exit())
    errand = app.extensions["errand"]
    settings, relay = errand.settings, errand.relay
    relay.start()
    submit_thread = SubmitThread()
    submit_thread.start()
    RequestDispatcher(settings.api_streams, settings.api_threads, submit_thread, settings.public_path).install()
    # Streams must end when the stop begins: granian waits until every request is answered.
    on_stop_signal(errand.broadcaster.close)
    # Unlike atexit, Finalize also runs in processes that multiprocessing has forked, as granian does.
    Finalize(None, relay.stop, exitpriority=10)
    callers: CallerPool[Caller] = app.extensions[CALLERS]
    Finalize(None, callers.close, exitpriority=10)
    garbage_collection.freeze()
    return app


def on_stop_signal(act: Callable[[], None]) -> None:
    """Call `act` in a thread as soon as SIGTERM or SIGINT arrives. Call it in the main thread.

    Granian installs its own handlers after `make`, replacing ours. But Python also writes the number of each signal
    it handles to a file that we may choose.
    """
    inner, outer = socket.socketpair()
    outer.settimeout(0)  # a signal handler must never block
    signal.set_wakeup_fd(outer.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        with outer:  # keep it open: Python writes to it
            while True:
                if STOP_SIGNALS & set(inner.recv(64)):
                    act()

    Thread(target=listen, name="stop", daemon=True).start()
