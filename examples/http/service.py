"""A service that answers HTTP itself, by nameko's own entrypoint and beside the API."""

import json
from typing import Any

from workers.extending import http, rpc


class HttpService:
    """Listens on WEB_SERVER_ADDRESS: port 8000, unless something else is set."""

    name = "http_service"

    @http("GET", "/get/<int:value>")
    def get_method(self, request: Any, value: int) -> str:
        return json.dumps({"value": value})

    @rpc
    def get(self, value: int) -> dict[str, int]:
        return {"value": value}
