"""No more mails, or mails again: the page behind the link at the end of each mail, and the one click of mail programs.

Stands after the end of a job's life. To look changes nothing, for scanners of mails follow every link in them; only a
POST does, be it from the button of the page or from a mail program (RFC 8058). Next: `errand/store/addresses.py`.
"""

from flask import Blueprint, request

from api.context import here
from api.http.answer import Answer
from api.http.specs import documented
from api.pages.html import page_answer, refuse_in_html
from api.pages.specs import CHOICE_SPEC, UNSUBSCRIBE_SPEC
from errand.errors import FormRefused

unsubscribe = Blueprint("unsubscribe", __name__)
refuse_in_html(unsubscribe)


@unsubscribe.get("/unsubscribe/<token>")
@documented(tags=["mail"], **CHOICE_SPEC)
def choose(token: str) -> Answer:
    """Look whether mails are sent to an address

    A page (HTML) with the button that ends them, or has them sent again. To look at it changes nothing.
    """
    address = here().links().address_of(token)
    return _page(address, is_off=here().store.is_unsubscribed(address))


@unsubscribe.post("/unsubscribe/<token>")
@documented(tags=["mail"], **UNSUBSCRIBE_SPEC)
def change(token: str) -> Answer:
    """End mails to an address, or have them sent again

    The body is the form that mail programs send for their own button (RFC 8058), so the link is all that is needed.
    """
    address = here().links().address_of(token)
    match request.form.get("List-Unsubscribe"):
        case "One-Click":  # RFC 8058's words; those below are ours
            here().store.unsubscribe(address)
            return _page(address, is_off=True, changed=True)
        case "Resume":
            here().store.resubscribe(address)
            return _page(address, is_off=False, changed=True)
    raise FormRefused()


def _page(address: str, *, is_off: bool, changed: bool = False) -> Answer:
    return page_answer("unsubscribe.html", address=address, is_off=is_off, changed=changed)
