"""The one place of the API where the real parts are chosen; a WSGI server calls `make` in each of its processes.

Stands before step 1 of a job's life. Next: `app.py`.
"""

import gc
from multiprocessing.util import Finalize

from api.app import Api, create_app
from api.relay import Relay
from errand.settings import Settings
from errand.store import Store


def make() -> Api:
    """Make the app of this process and start its relay. Never call it before a fork: threads don't survive one."""
    settings = Settings.load_or_exit()
    store = Store.connect(settings)
    relay = Relay(settings, store)
    app = create_app(settings, store, relay)
    relay.start()
    # Unlike atexit, this also runs at the end of a process that multiprocessing forked, as granian's are.
    Finalize(None, relay.stop, exitpriority=10)
    gc.collect()
    gc.freeze()  # what is here now stays: the collector need not look at it again and again
    return app
