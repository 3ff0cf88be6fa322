"""Services that greet, as in Nameko's first tutorial."""

import time

from workers.extending import rpc


class GreetingService:
    """Greets by name."""

    name = "greeting_service"
    max_workers = 10

    @rpc
    def hello(self, name: str) -> str:
        return f"Hello, {name}!"

    @rpc
    def hello_slowly(self, name: str, seconds: float = 1.0) -> str:
        time.sleep(seconds)  # other calls go on: workers are monkey-patched
        return self.hello(name)


class HelloWorld:
    """Another service: a plug-in may have any number of them."""

    name = "helloworld"

    @rpc
    def hello(self, name: str) -> str:
        return f"Hello, {name}!"


class KonnichiwaService:
    """Greets in Japanese; `routes.py` calls it over HTTP."""

    name = "konnichiwa_service"

    @rpc
    def konnichiwa(self) -> str:
        return "Konnichiwa!"
