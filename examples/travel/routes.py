"""Flask routes for airports and trips, with the answers of the tutorial's gateway."""

from flask import Blueprint

from api.extending import cluster
from examples.travel.gateway import REFUSALS, TEXT, fields
from examples.travel.trips import trips

__all__ = ["airports", "trips"]

airports = Blueprint("airports", __name__)


@airports.post("/airport")
def create_airport() -> tuple[str, dict[str, str]]:
    """Keep an airport, and get its id
    ---
    requestBody:
      required: true
      content:
        application/json:
          schema: {type: object, properties: {airport: {type: string}}, required: [airport]}
          example: {airport: first_airport}
    responses:
      200: {description: Its id., content: {text/plain: {schema: {type: string}}}}
      400: {description: The body is not JSON.}
      422: {description: This is no airport.}
    """
    (name,) = fields("airport")
    with cluster(timeout=5, refusals=REFUSALS) as n:
        return n.airports_service.create(name), TEXT


@airports.get("/airport/<airport_id>")
def get_airport(airport_id: str) -> dict[str, str]:
    """Get an airport
    ---
    parameters:
      - name: airport_id
        in: path
        required: true
        schema: {type: string}
        x-example-from: {make: {post: /airport, body: {airport: first_airport}, note: "Left empty: a new one's."}}
    responses:
      200: {description: The airport., content: {application/json: {example: {airport: first_airport}}}}
      404: {description: There is no airport with this id.}
    """
    with cluster(timeout=5, refusals=REFUSALS) as n:
        return {"airport": n.airports_service.get(airport_id)}
