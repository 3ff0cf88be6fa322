"""The board's page, and the stream of events that keeps it up to date."""

import json
from collections.abc import Generator
from contextlib import closing, suppress
from functools import cache

from flask import Blueprint, Response, current_app, make_response, render_template
from redis import RedisError

from api.extending import event_stream
from examples.message_board.store import Messages

page = Blueprint(
    "message_board_page", __name__, static_folder="static", static_url_path="/board/static", template_folder="templates"
)

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
POLICY += "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"


@page.get("/board")
def open_board() -> Response:
    """Read and write on a page
    ---
    responses:
      200: {description: A page (HTML)., content: {text/html: {schema: {type: string}}}}
    """
    answer = make_response(render_template("board.html"))
    answer.mimetype = "text/html"
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@page.get("/messages/events")
def watch_board() -> Response:
    """Watch the board

    Server-Sent Events: `{"id": "…"}` for each message as it is written. Swagger UI can't show what has no end.
    ---
    responses:
      200: {description: "The stream.", content: {text/event-stream: {schema: {type: string}}}}
      503: {description: Too many streams are open.}
    """
    settings = current_app.extensions["errand"].settings
    return event_stream(as_json(messages_at(settings.redis_url, settings.key_prefix).news()))


def as_json(news: Generator[str | None, None, None]) -> Generator[str | None, None, None]:
    """Yield each id as JSON. If Redis goes away, the stream ends, and browsers reconnect by themselves."""
    with closing(news), suppress(RedisError):
        for message_id in news:
            yield message_id and json.dumps({"id": message_id})


@cache
def messages_at(url: str, prefix: str) -> Messages:
    """Return the messages, with one connection pool for all streams of this process."""
    return Messages.at(url, prefix)
