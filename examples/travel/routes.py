"""Flask routes for airports and trips, with the answers of the tutorial's gateway."""

from typing import Any

from flask import Blueprint, abort

from api.extending import cluster, json_body

travel = Blueprint("travel", __name__)

TEXT = {"Content-Type": "text/plain; charset=utf-8"}
REFUSALS = {"NameRefused": 422, "Unknown": 404, "ServiceMissing": 503, "ServiceSlow": 504}
"""The last two come from trips_service, if airports_service doesn't answer it."""


def fields(*names: str) -> list[Any]:
    """Read these fields of the JSON body, which `curl -d` declares as a form."""
    body = json_body()
    if not (isinstance(body, dict) and body.keys() >= set(names)):
        abort(422, f"The body must be a JSON object with {' and '.join(names)}.")
    return [body[name] for name in names]


@travel.post("/airport")
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


@travel.get("/airport/<airport_id>")
def get_airport(airport_id: str) -> dict[str, str]:
    """Get an airport
    ---
    parameters:
      - {name: airport_id, in: path, required: true, schema: {type: string}}
    responses:
      200: {description: The airport., content: {application/json: {example: {airport: first_airport}}}}
      404: {description: There is no airport with this id.}
    """
    with cluster(timeout=5, refusals=REFUSALS) as n:
        return {"airport": n.airports_service.get(airport_id)}


@travel.post("/trip")
def create_trip() -> tuple[str, dict[str, str]]:
    """Keep a trip between two airports, and get its id
    ---
    requestBody:
      required: true
      content:
        application/json:
          schema:
            type: object
            properties: {airport_from: {type: string}, airport_to: {type: string}}
            required: [airport_from, airport_to]
          example: {airport_from: an id, airport_to: an id}
    responses:
      200: {description: Its id., content: {text/plain: {schema: {type: string}}}}
      400: {description: The body is not JSON.}
      422: {description: There is no such airport.}
    """
    both = fields("airport_from", "airport_to")
    with cluster(timeout=5, refusals=REFUSALS) as n:
        return n.trips_service.create(*both), TEXT


@travel.get("/trip/<trip_id>")
def get_trip(trip_id: str) -> dict[str, dict[str, str]]:
    """Get a trip
    ---
    parameters:
      - {name: trip_id, in: path, required: true, schema: {type: string}}
    responses:
      200: {description: The trip., content: {application/json: {example: {trip: {from: an id, to: an id}}}}}
      404: {description: There is no trip with this id.}
    """
    with cluster(timeout=5, refusals=REFUSALS) as n:
        return {"trip": n.trips_service.get(trip_id)}
