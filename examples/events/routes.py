"""Routes to emit an event and to see which services heard it."""

from uuid import UUID

from flask import Blueprint, abort, request, url_for

from api.extending import cluster

events = Blueprint("events", __name__, url_prefix="/events")


@events.post("")
def emit_event() -> tuple[dict[str, object], int, dict[str, str]]:
    """Emit an event

    `service_a` tells of it; who hears it is none of its business.
    ---
    requestBody:
      required: true
      content:
        application/json:
          schema: {type: object, required: [payload], properties: {payload: {description: Any JSON.}}}
          example: {payload: Hello}
    responses:
      202: {description: It was emitted; `Location` tells who heard of it.}
      422: {description: "There is no payload, or it is too long."}
      503: {description: No instance of the service is there.}
    """
    body = request.get_json()
    if not isinstance(body, dict) or "payload" not in body:
        abort(422, 'The body must be an object with a payload, such as {"payload": "Hello"}.')
    with cluster(timeout=2, refusals={"PayloadRefused": 422}) as n:
        event_id = n.service_a.emit_an_event(body["payload"])
    return {"id": event_id}, 202, {"Location": url_for(".list_hearers", event_id=event_id)}


@events.get("/<uuid:event_id>")
def list_hearers(event_id: UUID) -> dict[str, object]:
    """See who heard of an event, or of a job that has ended

    Events are remembered for an hour.
    ---
    parameters:
      - name: event_id
        in: path
        required: true
        schema: {type: string, format: uuid}
        description: What emitting an event gave, or the id of a job.
        x-example-from:
          make: {post: /events, body: {payload: Hello}, at: /id, until: {get: "/events/{}"}}
    responses:
      200: {description: 'Each who heard of it: service, kind of delivery, instance, and what it was told.'}
      404: {description: Nobody has heard of it yet.}
      503: {description: No instance of the service is there.}
    """
    with cluster(timeout=2) as n:
        notes = n.service_b.heard(str(event_id))
    if not notes:
        abort(404, f"Nobody has heard of {event_id} yet; ask again shortly.")
    return {"id": str(event_id), "heard": notes}
