"""The same over the API, for comparison with nameko's HTTP entrypoint."""

from flask import Blueprint

from api.extending import cluster

value = Blueprint("value", __name__)


@value.get("/get/<int:value>")
def get_value(value: int) -> dict[str, int]:
    """Get a value back

    The worker itself answers this as well, without the API and the broker between: at <http://127.0.0.1:8000/get/42>.
    ---
    parameters:
      - {name: value, in: path, required: true, schema: {type: integer, minimum: 0}, example: 42}
    responses:
      200:
        description: The value.
        content:
          application/json:
            example: {"value": 42}
      404:
        description: What is asked for is no whole number.
      503:
        description: No instance of the service is there.
      504:
        description: The service takes too long.
    """
    with cluster(timeout=2) as n:
        answer: dict[str, int] = n.http_service.get(value)
        return answer
