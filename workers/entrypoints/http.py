"""The HTTP entrypoint: nameko's, with answers that give nothing away and a server that no client ends.

Stands beside the life of a job; `workers/extending.py` gives it to plug-ins as `http`. Next: `web.py`, its server.
"""

import logging
from typing import Any

from nameko.exceptions import BadRequest, ContainerBeingKilled
from nameko.web.handlers import HttpRequestHandler
from nameko.web.server import HTTPException

from schemas.requests import MAX_BODY_BYTES
from workers.entrypoints.web import SafeWebServer, problem, refused

log = logging.getLogger(__name__)


class SafeHttp(HttpRequestHandler):  # type: ignore[misc]  # nameko has no annotations
    """Answers requests by the method it decorates: `@http("GET", "/get/<int:value>")`.

    The method gets werkzeug's request and the arguments of the path. It gives a text, or (status, text), or (status,
    headers, text). `expected_exceptions` are answered with 400 and what they say, werkzeug's own with their status, any
    other with 500 and nothing.
    """

    server = SafeWebServer()

    def __init__(self, method: str, url: str, expected_exceptions: Any = (), **kwargs: Any) -> None:
        """Answer requests of `method`, or of several with commas between, for `url`."""
        several = expected_exceptions if isinstance(expected_exceptions, tuple) else (expected_exceptions,)
        super().__init__(method, url, expected_exceptions=several, **kwargs)

    def stop(self) -> None:
        """Take no more requests, and return when those at hand are answered."""
        self.server.wind_down()
        super().stop()

    def handle_request(self, request: Any) -> Any:
        """Answer a request; nothing is raised."""
        request.max_content_length = MAX_BODY_BYTES
        return super().handle_request(request)

    def response_from_exception(self, exc: Exception) -> Any:
        """Answer for what went wrong."""
        if isinstance(exc, HTTPException):
            return refused(exc)
        if isinstance(exc, (BadRequest, *self.expected_exceptions)):
            return problem(400, str(exc))
        if isinstance(exc, ContainerBeingKilled):
            return problem(503, "This service is stopping; try again shortly.")
        log.error("A request failed", exc_info=exc, extra={"action": "request_failed"})
        return problem(500, "Something went wrong on our side; it was logged.")


http = SafeHttp.decorator
