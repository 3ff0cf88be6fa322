"""The services of a plug-in for tests: what they do wrong, they do on purpose."""

import os
import signal
import time
from pathlib import Path

from workers.extending import (
    BROADCAST,
    SINGLETON,
    DependencyProvider,
    EventDispatcher,
    RpcProxy,
    event_handler,
    rpc,
    settings_of,
    timer,
)

SECRET = "the password is swordfish"


class NotThere(Exception):
    """Meant for callers."""


class Notebook(DependencyProvider):
    """Writes lines into a file that all instances share, each at once."""

    def get_dependency(self, worker_ctx):
        place = Path(os.environ["NOTEBOOK"])

        def note(line):
            with place.open("a") as file:
                file.write(f"{line}\n")

        return note


class Prefix(DependencyProvider):
    """Knows one of the settings."""

    def get_dependency(self, worker_ctx):
        return settings_of(self).key_prefix


class Fragile(DependencyProvider):
    """Fails when it is told to, at each step of a call."""

    def worker_setup(self, worker_ctx):
        self._fail("setup", worker_ctx)

    def worker_result(self, worker_ctx, result=None, exc_info=None):
        self._fail("result", worker_ctx)

    def worker_teardown(self, worker_ctx):
        self._fail("teardown", worker_ctx)

    def get_dependency(self, worker_ctx):
        self._fail("dependency", worker_ctx)

    def _fail(self, step, worker_ctx):
        if worker_ctx.entrypoint.method_name == "break_at" and worker_ctx.args == [step]:
            raise RuntimeError(SECRET)


class Probe:
    """Is called."""

    name = "probe"

    note = Notebook()
    fragile = Fragile()
    prefix = Prefix()
    dispatch = EventDispatcher()
    itself = RpcProxy("probe", timeout=5)
    nobody = RpcProxy("nobody", timeout=0.5)

    @rpc
    def echo(self, value):
        return value

    @rpc
    def pid(self):
        return os.getpid()

    @rpc
    def nap(self, seconds):
        self.note(f"nap {os.getpid()}")
        time.sleep(seconds)
        self.note(f"woke {os.getpid()}")
        return os.getpid()

    @rpc
    def break_down(self):
        raise ZeroDivisionError(SECRET)

    @rpc(expected_exceptions=NotThere)
    def look_up(self, name):
        raise NotThere(f"There is no {name}.")

    @rpc
    def unserialisable(self):
        return {1, 2}

    @rpc
    def die(self, name):
        self.note(f"die {name} {os.getpid()}")
        os.kill(os.getpid(), signal.SIGKILL)

    @rpc
    def break_at(self, step):
        return step

    @rpc
    def tell(self, event, payload):
        self.dispatch(event, payload)

    @rpc
    def ask_itself(self, value):
        both = [self.itself.echo.call_async(value), self.itself.echo.call_async(value)]
        return [self.itself.echo(value), *(each.result() for each in both)]

    @rpc
    def ask_nobody(self):
        return self.nobody.anything()

    @rpc
    def key_prefix(self):
        return self.prefix


class Ears:
    """Hears what `probe` tells."""

    name = "ears"

    note = Notebook()

    @event_handler("probe", "news")
    def in_each_service(self, payload):
        self.note(f"ears {payload}")

    @event_handler("probe", "alarm", handler_type=BROADCAST)
    def in_each_instance(self, payload):
        self.note(f"alarm {payload} {os.getpid()}")

    @event_handler("probe", "duty", handler_type=SINGLETON)
    def in_one_of_all(self, payload):
        self.note(f"duty {payload}")

    @event_handler("probe", "trouble", requeue_on_error=True)
    def in_vain(self, payload):
        self.note(f"trouble {payload}")
        raise ValueError(SECRET)

    @event_handler("probe", "poison")
    def dying(self, payload):
        self.note(f"poison {payload}")
        os.kill(os.getpid(), signal.SIGKILL)

    @event_handler("probe", "work")
    def slowly(self, payload):
        time.sleep(payload)
        self.note(f"work {payload}")

    @event_handler("compute", "job_finished")
    def job_finished(self, payload):
        self.note(f"finished {payload['id']} {payload['status']}")


class Others:
    """Hears some of it too."""

    name = "others"

    note = Notebook()

    @event_handler("probe", "news")
    def in_each_service(self, payload):
        self.note(f"others {payload}")

    @event_handler("probe", "duty", handler_type=SINGLETON)
    def in_one_of_all(self, payload):
        self.note(f"duty {payload}")


class Clocks:
    """Ticks."""

    name = "clocks"

    note = Notebook()

    @timer(interval=0.3, once=True)
    def alone(self):
        self.note(f"alone {os.getpid()}")

    @timer(interval=0.3)
    def each(self):
        self.note(f"each {os.getpid()}")
