"""Lets plug-ins write a call as nameko's tutorials do: `n.greeting_service.hello(name="world")`."""

from typing import Any

from errand.broker.caller import Caller


class Reply:
    """The future result of a call."""

    def __init__(self, caller: Caller, call_id: str, until: float) -> None:
        """Wait on `caller` for the call, until `until` (monotonic, s)."""
        self._caller, self._call_id, self._until = caller, call_id, until

    def result(self) -> Any:
        """Wait for the result, once; raises ServiceMissing, ServiceSlow, ServiceFailed, BrokerUnavailable."""
        return self._caller.reply(self._call_id, self._until)


class Method:
    """`n.<service>.<method>`."""

    def __init__(self, caller: Caller, until: float, service: str, name: str) -> None:
        """Call it through `caller`."""
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
        """Call it through `caller`."""
        self._caller, self._until, self._name = caller, until, name

    def __getattr__(self, method: str) -> Method:
        """Return a method of the service; only a call shows whether it exists."""
        if method.startswith("_"):
            raise AttributeError(method)
        return Method(self._caller, self._until, self._name, method)


class Cluster:
    """`n`: all services, with one deadline for all calls."""

    def __init__(self, caller: Caller, until: float) -> None:
        """Call through `caller`; each call must be answered by `until` (monotonic, s)."""
        self._caller, self._until = caller, until

    def __getattr__(self, service: str) -> Service:
        """Return a service; only a call shows whether it exists."""
        if service.startswith("_"):
            raise AttributeError(service)
        return self[service]

    def __getitem__(self, service: str) -> Service:
        """Return a service whose name is not a valid Python name."""
        return Service(self._caller, self._until, service)
