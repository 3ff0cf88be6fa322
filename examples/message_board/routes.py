"""A message board: a live page, and its messages as JSON."""

from flask import Blueprint, request

from api.extending import cluster
from examples.message_board.page import page

__all__ = ["board", "page"]

board = Blueprint("message_board", __name__)

REFUSALS = {"MessageUnknown": 404, "MessageRefused": 422}


@board.get("/messages")
def list_messages() -> dict[str, object]:
    """Read what everybody wrote, the newest first
    ---
    responses:
      200: {description: "The messages; `expires_in`: milliseconds."}
    """
    with cluster(timeout=5) as n:
        return {"messages": n.message_service.get_all_messages()}


@board.post("/messages")
def write_message() -> tuple[dict[str, object], int]:
    """Write a message
    ---
    requestBody:
      required: true
      content:
        application/json:
          schema: {type: object, properties: {message: {type: string, maxLength: 400}}, required: [message]}
          example: {message: Hello everybody!}
    responses:
      201: {description: It is on the board; its id.}
      422: {description: "This is no message: it is empty, too long or no text."}
    """
    body = request.get_json()
    message = body.get("message") if isinstance(body, dict) else None
    with cluster(timeout=5, refusals=REFUSALS) as n:
        return {"id": n.message_service.save_message(message)}, 201


@board.get("/messages/<message_id>")
def read_message(message_id: str) -> dict[str, object]:
    """Read one message
    ---
    parameters:
      - name: message_id
        in: path
        required: true
        schema: {type: string}
        x-example-from:
          look: {get: /messages, each: /messages, at: /id}
          make: {post: /messages, body: {message: Hello everybody!}, at: /id}
    responses:
      200: {description: The message.}
      404: {description: "There is no message with this id, or it has expired."}
    """
    with cluster(timeout=5, refusals=REFUSALS) as n:
        return {"id": message_id, "message": n.message_service.get_message(message_id)}
