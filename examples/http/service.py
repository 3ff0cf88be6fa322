"""A service that answers HTTP itself, with nameko's entrypoint and without the API."""

import json
from typing import Any

from workers.extending import http, rpc


class HttpService:
    """Listens on WEB_SERVER_ADDRESS, by default port 8000."""

    name = "http_service"

    @http("GET", "/get/<int:value>")
    def get_method(self, request: Any, value: int) -> str:
        return json.dumps({"value": value})

    @rpc
    def get(self, value: int) -> dict[str, int]:
        return {"value": value}
