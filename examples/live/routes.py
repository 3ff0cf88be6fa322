"""Job events over web sockets: a page that shows them, and the address to connect to."""

import os
from typing import Annotated
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, make_response, render_template, request
from flask.blueprints import BlueprintSetupState
from pydantic import Field

from errand.settings import Settings
from examples.live.sockets import Sockets

live = Blueprint("live", __name__, static_folder="static", static_url_path="/live/static", template_folder="templates")

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {sockets}; img-src data:; "
POLICY += "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"


class LiveSettings(Settings):
    """Errand's settings and one more, from the environment or `.env`."""

    live_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """LIVE_PORT: the port of the web socket server; 0: any free one."""


@live.record
def prepare(state: BlueprintSetupState) -> None:
    """Load the settings at the start, so that a wrong one is refused then; the server starts on first use."""
    state.app.extensions["live.sockets"] = Sockets(state.app, LiveSettings.load().live_port)


@live.get("/live")
def open_live_page() -> Response:
    """See what happens to jobs, on a page
    ---
    responses:
      200: {description: A page (HTML)., content: {text/html: {schema: {type: string}}}}
    """
    answer = make_response(render_template("live.html"))
    answer.mimetype = "text/html"
    host = urlsplit(request.host_url).hostname or ""
    sockets = "ws: wss:" if ":" in host else f"ws://{host}:* wss://{host}:*"  # a CSP can't name an IPv6 address
    answer.headers["Content-Security-Policy"] = POLICY.format(sockets=sockets)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@live.get("/live/address")
def get_live_address() -> dict[str, int]:
    """Learn where the web sockets are

    The port is on the host of this API. Each message is a JSON object: `event` is `status`, `progress` or `log`, the
    rest is as in `GET /events`.
    ---
    responses:
      200:
        description: The port.
        content: {application/json: {schema: {type: object, properties: {port: {type: integer}}}}}
      503: {description: "The web socket server can't listen, for example because `LIVE_PORT` is taken."}
    """
    try:
        return {"port": current_app.extensions["live.sockets"].port}
    except OSError as fault:
        abort(503, f"The web socket server can't listen: {os.strerror(fault.errno)}.")
