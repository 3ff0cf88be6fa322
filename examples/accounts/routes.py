"""Routes to add users and to get their names."""

import re

from flask import Blueprint, request, url_for

from api.extending import cluster

accounts = Blueprint("accounts", __name__, url_prefix="/accounts")

ANSWERS = {
    "UnknownUser": 404,
    "UsernameRefused": 422,
    "OperationalError": 503,  # SQLAlchemy's: the database is away, or takes too long
    "TimeoutError": 503,  # and this, for a free connection to it
}


@accounts.post("")
def add_user() -> tuple[dict[str, object], int, dict[str, str]]:
    """Add a user

    Who has this name already keeps the id.
    ---
    requestBody:
      required: true
      content:
        application/json:
          schema: {type: object, required: [username], properties: {username: {type: string, maxLength: 50}}}
          example: {username: Ada}
    responses:
      201: {description: The user's id and name., content: {application/json: {example: {id: 1, username: Ada}}}}
      422: {description: Nobody can be called so.}
      503: {description: "No instance of the service is there, or the database isn't."}
    """
    body = request.get_json()
    username = body.get("username") if isinstance(body, dict) else None
    with cluster(timeout=2, refusals=ANSWERS) as n:
        user_id = n.accounts_service.add_user(username)
        user = {"id": user_id, "username": n.accounts_service.get_username(user_id)}
    return user, 201, {"Location": url_for(".get_username", user_id=user_id)}


@accounts.get("/<user_id>")
def get_username(user_id: str) -> dict[str, object]:
    """Get the name of a user
    ---
    parameters:
      - name: user_id
        in: path
        required: true
        schema: {type: string}
        x-example-from: {make: {post: /accounts, body: {username: Ada}, at: /id, note: "Left empty: Ada's."}}
    responses:
      200: {description: The user's id and name., content: {application/json: {example: {id: 1, username: Ada}}}}
      404: {description: There is no such user.}
      503: {description: "No instance of the service is there, or the database isn't."}
      504: {description: The service takes too long.}
    """
    known = int(user_id) if re.fullmatch(r"[0-9]{1,10}", user_id) else user_id
    with cluster(timeout=2, refusals=ANSWERS) as n:
        return {"id": known, "username": n.accounts_service.get_username(known)}
