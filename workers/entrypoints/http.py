"""The HTTP entrypoint: nameko's, with responses that leak nothing and a server that no client can take down.

`workers/extending.py` exports it for plug-ins as `http`. Next: `web_server.py`, its server.
"""

import logging
from typing import Any

from nameko.exceptions import BadRequest, ContainerBeingKilled
from nameko.web.handlers import HttpRequestHandler
from nameko.web.server import HTTPException

from schemas.requests import MAX_BODY_BYTES
from workers.entrypoints.web_server import SafeWebServer, problem, refused

log = logging.getLogger(__name__)


class SafeHttp(HttpRequestHandler):  # type: ignore[misc]  # nameko has no annotations
    """Answers requests by calling the decorated method: `@http("GET", "/get/<int:value>")`.

    The method gets werkzeug's request and the arguments of the path. It returns a text, (status, text) or (status,
    headers, text). `expected_exceptions` are answered with 400 and their text, werkzeug's exceptions with their own
    status, any other with 500 and no details.
    """

    server = SafeWebServer()

    def __init__(self, method: str, url: str, expected_exceptions: Any = (), **kwargs: Any) -> None:
        """Answer requests for `url` with this `method`, or several separated by commas."""
        several = expected_exceptions if isinstance(expected_exceptions, tuple) else (expected_exceptions,)
        super().__init__(method, url, expected_exceptions=several, **kwargs)

    def stop(self) -> None:
        """Take no more requests; return when the current ones are answered."""
        self.server.wind_down()
        super().stop()

    def handle_request(self, request: Any) -> Any:
        """Answer a request; raise nothing."""
        request.max_content_length = MAX_BODY_BYTES
        return super().handle_request(request)

    def response_from_exception(self, exc: Exception) -> Any:
        """Return the response to an exception of the method."""
        if isinstance(exc, HTTPException):
            return refused(exc)
        if isinstance(exc, (BadRequest, *self.expected_exceptions)):
            return problem(400, str(exc))
        if isinstance(exc, ContainerBeingKilled):
            return problem(503, "This service is stopping; try again shortly.")
        log.error("A request failed", exc_info=exc, extra={"action": "request_failed"})
        return problem(500, "Something went wrong on our side; it was logged.")


http = SafeHttp.decorator
