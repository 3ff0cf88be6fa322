"""The timer entrypoint: nameko's, by a clock that can't be set.

Stands beside the life of a job: each look at what waits and each round of the rescuer is a tick. By nameko's own clock
a worker whose time is set back by an hour wouldn't tick for an hour.
"""

from time import monotonic

from eventlet import Timeout
from nameko.timer import Timer


class SteadyTimer(Timer):  # type: ignore[misc]  # nameko has no annotations
    """Calls the method it decorates every `interval` seconds; ticks that a long call overlapped are left out."""

    def _run(self) -> None:
        due = monotonic() + (0 if self.eager else self.interval)
        while not self._stops_within(max(0.0, due - monotonic())):
            self.handle_timer_tick()
            self.worker_complete.wait()
            self.worker_complete.reset()
            due = max(due + self.interval, monotonic())

    def _stops_within(self, seconds: float) -> bool:
        with Timeout(seconds, exception=False):
            self.should_stop.wait()
        return bool(self.should_stop.ready())


timer = SteadyTimer.decorator
