"""What the routes of airports and of trips share: how they read a body, and which errors become which status."""

from typing import Any

from flask import abort

from api.extending import json_body

TEXT = {"Content-Type": "text/plain; charset=utf-8"}
REFUSALS = {"NameRefused": 422, "Unknown": 404, "ServiceMissing": 503, "ServiceSlow": 504}
"""The last two come from trips_service, if airports_service doesn't answer it."""


def fields(*names: str) -> list[Any]:
    """Read these fields of the JSON body, which `curl -d` declares as a form."""
    body = json_body()
    if not (isinstance(body, dict) and body.keys() >= set(names)):
        abort(422, f"The body must be a JSON object with {' and '.join(names)}.")
    return [body[name] for name in names]
