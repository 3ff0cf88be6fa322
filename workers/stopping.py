"""How this process stops: whether a signal asked for it, and whether what still runs must be cut short.

The first signal lets running work end, up to a limit that each service has. Ctrl-C after it ends the wait at once.
`runner.py` receives the signals; the services wait here.
"""

import signal
from collections.abc import Callable
from time import monotonic

import eventlet

POLL_SECONDS = 0.02
"""Between two looks at whether the work has ended. A signal handler may only set a flag, so it can wake nobody."""


class Stop:
    """The stop of one process."""

    def __init__(self) -> None:
        """Begin with a process that goes on."""
        self.asked = self.at_once = False

    def signalled(self, number: int) -> None:
        """Note a signal to stop; safe in a signal handler.

        Only SIGINT cuts the wait short: a service manager may send SIGTERM twice, to a process and to its group.
        """
        self.at_once = self.at_once or (self.asked and number == signal.SIGINT)
        self.asked = True

    def wait(self, ended: Callable[[], bool], seconds: float) -> bool:
        """Wait until `ended` returns true, at most `seconds` and no longer than until the wait is cut short.

        Return whether it has ended.
        """
        deadline = monotonic() + seconds
        while not (done := ended()) and not self.at_once and monotonic() < deadline:
            eventlet.sleep(POLL_SECONDS)
        return done


STOP = Stop()
"""That of this process: signals are sent to processes, not to services."""
