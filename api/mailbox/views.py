"""Shows caught mails in a browser: `GET /mailbox` and what its page asks for.

Stands after the end of a job's life, for development only: without MAILBOX, `app.py` leaves all of this out. Next:
`folder.py`, which knows the mails there are.
"""

import json
import re
from contextlib import ExitStack, suppress
from dataclasses import asdict
from io import BytesIO
from typing import Any, Final

from flask import Blueprint, render_template, request, send_file
from werkzeug.wrappers import Response

from api.context import here
from api.dispatch.long_request_slot import current_slot
from api.events import sse
from api.http import content_policy
from api.http.answer import Answer, json_answer
from api.http.assets import asset_url
from api.http.query import ParameterCheck, checked_parameters, up_to
from api.http.specs import documented
from api.mailbox import specs
from api.mailbox.arrivals import mail_events
from api.mailbox.contents import OpenedMail, summary_of
from api.mailbox.folder import MailFolder, folder_at
from api.mailbox.frames import FRAME_POLICY, framed
from errand.errors import MailUnknown

mailbox = Blueprint("mailbox", __name__)

TAGS: Final = ["mailbox"]
PAGE_HEADERS: Final = {
    content_policy.HEADER: content_policy.own_page(frame_src="'self'", require_trusted_types_for="'script'"),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
UNTRUSTED_HEADERS: Final = {
    content_policy.HEADER: content_policy.SANDBOXED,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""For what somebody else wrote, and no frame shows."""
FRAME_HEADERS: Final = {**UNTRUSTED_HEADERS, content_policy.HEADER: FRAME_POLICY, "X-DNS-Prefetch-Control": "off"}

_ID: Final = re.compile(specs.ID_PATTERN.strip("^$"))
_PARAMETERS: Final[dict[str, ParameterCheck]] = {
    "limit": up_to(specs.MOST_ROWS),
    "cursor": (_ID.fullmatch, "must be the `next` of a page before"),
}


def folder() -> MailFolder:
    """Give the folder of the app that answers this request."""
    return folder_at(here().settings.mailbox)


@mailbox.get("/mailbox")
@documented(tags=TAGS, **specs.PAGE_SPEC)
def page() -> Answer:
    """Read the mails that were caught

    For development: whoever reaches this service can read them all.
    """
    return Answer(render_template("mailbox.html", asset=asset_url), headers=PAGE_HEADERS, mimetype="text/html")


@mailbox.get("/mailbox/mails")
@documented(tags=TAGS, **specs.LIST_SPEC)
def mails() -> Answer:
    """List mails

    The newest first.
    """
    asked = checked_parameters(_PARAMETERS)
    listing = folder().listing()
    rows = listing.page(int(asked.get("limit", specs.DEFAULT_ROWS)), asked.get("cursor"))
    is_last = not rows or rows[-1] is listing.mails[-1]
    told = []
    for kept in rows:
        with suppress(MailUnknown):  # removed since the look
            told.append(asdict(summary_of(kept)))
    return _json({"mails": told, "total": len(listing.mails), "next": None if is_last else rows[-1].id})


@mailbox.delete("/mailbox/mails")
@documented(tags=TAGS, **specs.CLEAR_SPEC)
def clear() -> Answer:
    """Delete all mails"""
    folder().clear()
    answer = Answer(status=204)
    del answer.headers["Content-Type"]  # of nothing
    return answer


@mailbox.get("/mailbox/mails/<mail_id>")
@documented(tags=TAGS, **specs.MAIL_SPEC)
def mail(mail_id: str) -> Answer:
    """Look at a mail"""
    return _json(_opened(mail_id).as_json())


@mailbox.get("/mailbox/mails/<mail_id>/html")
@documented(tags=TAGS, **specs.part_spec("text/html", "Its HTML part, which can run no script and fetch nothing."))
def html(mail_id: str) -> Answer:
    """Read the HTML part of a mail

    As it was sent, but for images that came along, which are put in their places.
    """
    opened = _opened(mail_id)
    if opened.html is None:
        raise MailUnknown("The mail has no HTML part.")
    return Answer(framed(opened.html.text(), opened.files), headers=FRAME_HEADERS, mimetype="text/html")


@mailbox.get("/mailbox/mails/<mail_id>/text")
@documented(tags=TAGS, **specs.part_spec("text/plain", "Its text part."))
def text(mail_id: str) -> Answer:
    """Read the text part of a mail"""
    opened = _opened(mail_id)
    if opened.text is None:
        raise MailUnknown("The mail has no text part.")
    return Answer(opened.text.text(), headers=UNTRUSTED_HEADERS, mimetype="text/plain")


@mailbox.get("/mailbox/mails/<mail_id>/source")
@documented(tags=TAGS, **specs.part_spec("text/plain", "The bytes that were caught."))
def source(mail_id: str) -> Answer:
    """Read a mail as it travelled"""
    return Answer(folder().listing().find(mail_id).read(), headers=UNTRUSTED_HEADERS, mimetype="text/plain")


@mailbox.get("/mailbox/mails/<mail_id>/attachments/<int:number>")
@documented(tags=TAGS, **specs.DOWNLOAD_SPEC)
def attachment(mail_id: str, number: int) -> Response:
    """Download an attachment"""
    file = _opened(mail_id).attachment(number)
    sent = send_file(
        BytesIO(file.part.content()),
        "application/octet-stream",  # whatever it says it is, no browser is to open it here
        as_attachment=True,
        download_name=file.name,
        conditional=False,
        etag=False,
    )
    sent.headers.update(UNTRUSTED_HEADERS)
    return sent


@mailbox.get("/mailbox/events")
@documented(tags=TAGS, **specs.EVENTS_SPEC)
def watch_mails() -> Answer:
    """Watch the mailbox

    Server-Sent Events: how many mails there are and which is the newest, at once and whenever that has changed.
    """
    if request.method == "HEAD" or current_slot() is None:
        return sse.without_stream()
    return sse.stream(mail_events(folder(), here().broadcaster), ExitStack())


def _opened(mail_id: str) -> OpenedMail:
    return OpenedMail(folder().listing().find(mail_id))


def _json(body: dict[str, Any]) -> Answer:
    return json_answer(json.dumps(body) + "\n", 200, {"Cache-Control": "no-cache"})
