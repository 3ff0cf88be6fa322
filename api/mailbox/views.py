"""Shows caught mails in a browser: `GET /mailbox` and the requests of its page.

For development only: `app.py` adds these views only if MAILBOX is set.
"""

import json
import re
from contextlib import ExitStack, suppress
from dataclasses import asdict
from io import BytesIO
from typing import Any, Final

from flask import Blueprint, render_template, request, send_file
from werkzeug.wrappers import Response

from api.context import current_errand
from api.dispatch.long_request_slot import current_slot
from api.events import sse
from api.http import content_policy
from api.http.answer import Answer, json_answer, no_content
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
"""Headers of content that somebody else wrote and that no frame shows."""
FRAME_HEADERS: Final = {**UNTRUSTED_HEADERS, content_policy.HEADER: FRAME_POLICY, "X-DNS-Prefetch-Control": "off"}

_ID: Final = re.compile(specs.ID_PATTERN.strip("^$"))
_PARAMETERS: Final[dict[str, ParameterCheck]] = {
    "limit": up_to(specs.MOST_ROWS),
    "cursor": (_ID.fullmatch, "must be the `next` of an earlier page"),
}


def folder() -> MailFolder:
    """Return the folder of the app that answers this request."""
    return folder_at(current_errand().settings.mailbox)


@mailbox.get("/mailbox")
@documented("openMailbox", tags=TAGS, **specs.PAGE_SPEC)
def page() -> Answer:
    """Read the caught mails

    For development only: everybody who can reach this service can read all mails.
    """
    return Answer(render_template("mailbox.html", asset=asset_url), headers=PAGE_HEADERS, mimetype="text/html")


@mailbox.get("/mailbox/mails")
@documented("listMails", tags=TAGS, **specs.LIST_SPEC)
def mails() -> Answer:
    """List mails

    Returns the newest mails first.
    """
    parameters = checked_parameters(_PARAMETERS)
    listing = folder().listing()
    rows = listing.page(int(parameters.get("limit", specs.DEFAULT_ROWS)), parameters.get("cursor"))
    is_last = not rows or rows[-1] is listing.mails[-1]
    summaries = []
    for stored in rows:
        with suppress(MailUnknown):  # deleted since the listing
            summaries.append(asdict(summary_of(stored)))
    return _json({"mails": summaries, "total": len(listing.mails), "next": None if is_last else rows[-1].id})


@mailbox.delete("/mailbox/mails")
@documented("deleteMails", tags=TAGS, **specs.CLEAR_SPEC)
def clear() -> Answer:
    """Delete all mails

    Mails that arrive during the request stay.
    """
    folder().clear()
    return no_content()


@mailbox.get("/mailbox/mails/<mail_id>")
@documented("getMail", tags=TAGS, **specs.MAIL_SPEC)
def mail(mail_id: str) -> Answer:
    """Look at a mail

    Returns the mail's main headers and its list of attachments, and says whether it has HTML and text.
    """
    return _json(_opened(mail_id).as_json())


@mailbox.get("/mailbox/mails/<mail_id>/html")
@documented(
    "openMailHtml",
    tags=TAGS,
    **specs.part_spec("text/html", "The HTML part. Its Content-Security-Policy allows no scripts and loads nothing."),
)
def html(mail_id: str) -> Answer:
    """Read the HTML part of a mail

    Returns the HTML as it was sent, with the images of the mail embedded.
    """
    opened = _opened(mail_id)
    if opened.html is None:
        raise MailUnknown("The mail has no HTML part.")
    return Answer(framed(opened.html.text(), opened.files), headers=FRAME_HEADERS, mimetype="text/html")


@mailbox.get("/mailbox/mails/<mail_id>/text")
@documented("getMailText", tags=TAGS, **specs.part_spec("text/plain", "The text part."))
def text(mail_id: str) -> Answer:
    """Read the text part of a mail"""
    opened = _opened(mail_id)
    if opened.text is None:
        raise MailUnknown("The mail has no text part.")
    return Answer(opened.text.text(), headers=UNTRUSTED_HEADERS, mimetype="text/plain")


@mailbox.get("/mailbox/mails/<mail_id>/source")
@documented("getMailSource", tags=TAGS, **specs.part_spec("text/plain", "The mail as it was received."))
def source(mail_id: str) -> Answer:
    """Read the source of a mail"""
    return Answer(folder().listing().find(mail_id).read(), headers=UNTRUSTED_HEADERS, mimetype="text/plain")


@mailbox.get("/mailbox/mails/<mail_id>/attachments/<int:number>")
@documented("downloadAttachment", tags=TAGS, **specs.DOWNLOAD_SPEC)
def attachment(mail_id: str, number: int) -> Response:
    """Download an attachment"""
    file = _opened(mail_id).attachment(number)
    sent = send_file(
        BytesIO(file.part.content()),
        "application/octet-stream",  # whatever its declared type is, no browser may open it here
        as_attachment=True,
        download_name=file.name,
        conditional=False,
        etag=False,
    )
    sent.headers.update(UNTRUSTED_HEADERS)
    return sent


@mailbox.get("/mailbox/events")
@documented("watchMails", tags=TAGS, **specs.EVENTS_SPEC)
def watch_mails() -> Answer:
    """Watch the mailbox

    Server-Sent Events: the number of mails and the id of the newest, at once and after every change.
    """
    if request.method == "HEAD" or current_slot() is None:
        return sse.without_stream()
    return sse.stream(mail_events(folder(), current_errand().broadcaster), ExitStack())


def _opened(mail_id: str) -> OpenedMail:
    return OpenedMail(folder().listing().find(mail_id))


def _json(body: dict[str, Any]) -> Answer:
    return json_answer(json.dumps(body) + "\n", 200, {"Cache-Control": "no-cache"})
