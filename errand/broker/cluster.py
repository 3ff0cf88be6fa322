"""`n.greeting_service.hello(name="world")`: how calls are spelled, as in nameko's tutorials.

Stands on `caller.py`, beside the life of a job.
"""

from typing import Any

from errand.broker.caller import Caller


class Reply:
    """What a call will give."""

    def __init__(self, caller: Caller, call_id: str, until: float) -> None:
        """Wait on `caller` for the call, `until` then (monotonic, s)."""
        self._caller, self._call_id, self._until = caller, call_id, until

    def result(self) -> Any:
        """Wait for it, once; raises ServiceMissing, ServiceSlow, ServiceFailed, BrokerUnavailable."""
        return self._caller.reply(self._call_id, self._until)


class Method:
    """`n.<service>.<method>`."""

    def __init__(self, caller: Caller, until: float, service: str, name: str) -> None:
        """Call it by `caller`."""
        self._caller, self._until, self._service, self._name = caller, until, service, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it and wait for its result; raises as `Reply.result` does, and CallRefused."""
        return self.call_async(*args, **kwargs).result()

    def call_async(self, *args: Any, **kwargs: Any) -> Reply:
        """Call it without waiting; raises CallRefused, BrokerUnavailable."""
        call_id = self._caller.call(self._service, self._name, args, kwargs, self._until)
        return Reply(self._caller, call_id, self._until)


class Service:
    """`n.<service>`."""

    def __init__(self, caller: Caller, until: float, name: str) -> None:
        """Call it by `caller`."""
        self._caller, self._until, self._name = caller, until, name

    def __getattr__(self, method: str) -> Method:
        """Give a method of it; whether it has one is told by the call."""
        if method.startswith("_"):
            raise AttributeError(method)
        return Method(self._caller, self._until, self._name, method)


class Cluster:
    """`n`: all services there are, until a deadline that all calls share."""

    def __init__(self, caller: Caller, until: float) -> None:
        """Call by `caller`; `until` then (monotonic, s) everything is to be answered."""
        self._caller, self._until = caller, until

    def __getattr__(self, service: str) -> Service:
        """Give a service; whether it is there is told by the call."""
        if service.startswith("_"):
            raise AttributeError(service)
        return self[service]

    def __getitem__(self, service: str) -> Service:
        """Give a service whose name isn't one in Python."""
        return Service(self._caller, self._until, service)
