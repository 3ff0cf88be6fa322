"""Flask routes for trips."""

from flask import Blueprint

from api.extending import cluster
from examples.travel.gateway import REFUSALS, TEXT, fields

trips = Blueprint("trips", __name__)


@trips.post("/trip")
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
          x-example-from:
            airport_from: &airport {make: {post: /airport, body: {airport: first_airport}}}
            airport_to: *airport
    responses:
      200: {description: Its id., content: {text/plain: {schema: {type: string}}}}
      400: {description: The body is not JSON.}
      422: {description: There is no such airport.}
    """
    both = fields("airport_from", "airport_to")
    with cluster(timeout=5, refusals=REFUSALS) as n:
        return n.trips_service.create(*both), TEXT


@trips.get("/trip/<trip_id>")
def get_trip(trip_id: str) -> dict[str, dict[str, str]]:
    """Get a trip
    ---
    parameters:
      - name: trip_id
        in: path
        required: true
        schema: {type: string}
        x-example-from:
          make:
            post: /trip
            note: "Left empty: a new one's."
            body:
              airport_from: &airport {x-example-from: {make: {post: /airport, body: {airport: first_airport}}}}
              airport_to: *airport
    responses:
      200: {description: The trip., content: {application/json: {example: {trip: {from: an id, to: an id}}}}}
      404: {description: There is no trip with this id.}
    """
    with cluster(timeout=5, refusals=REFUSALS) as n:
        return {"trip": n.trips_service.get(trip_id)}
