"""Services that greet, as in Nameko's first tutorial."""

import time

from workers.extending import rpc


class GreetingService:
    """Greets whom it is told to."""

    name = "greeting_service"
    max_workers = 10

    @rpc
    def hello(self, name: str) -> str:
        return f"Hello, {name}!"

    @rpc
    def hello_slowly(self, name: str, seconds: float = 1.0) -> str:
        time.sleep(seconds)  # the others go on meanwhile: workers are monkey-patched
        return self.hello(name)


class HelloWorld:
    """Greets as well: a plug-in may have any number of services."""

    name = "helloworld"

    @rpc
    def hello(self, name: str) -> str:
        return f"Hello, {name}!"


class KonnichiwaService:
    """Greets in Japanese, and is asked over HTTP: `routes.py`."""

    name = "konnichiwa_service"

    @rpc
    def konnichiwa(self) -> str:
        return "Konnichiwa!"
