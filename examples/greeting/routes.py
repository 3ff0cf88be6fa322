"""A greeting over HTTP, which a service answers."""

from flask import Blueprint

from api.extending import cluster

greeting = Blueprint("greeting", __name__)


@greeting.get("/konnichiwa")
def greet() -> tuple[str, dict[str, str]]:
    """Be greeted

    The greeting comes from `konnichiwa_service`, within two seconds or not at all.
    ---
    responses:
      200:
        description: The greeting.
        content:
          text/plain:
            schema: {type: string}
            example: Konnichiwa!
      503:
        description: No instance of the service is there.
      504:
        description: The service takes too long.
    """
    with cluster(timeout=2) as n:
        return n.konnichiwa_service.konnichiwa(), {"Content-Type": "text/plain; charset=utf-8"}
