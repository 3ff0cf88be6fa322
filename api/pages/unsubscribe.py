"""Stops mails to an address, or starts them again: the page behind the last link in each mail.

A GET changes nothing, because mail scanners follow every link. Only a POST does: from the page's button, or from the
one-click button of a mail program (RFC 8058). `errand/store/addresses.py` keeps the addresses.
"""

from flask import Blueprint, request

from api.context import current_errand
from api.http.answer import Answer
from api.http.specs import documented
from api.pages.html import page_answer, refuse_in_html
from api.pages.specs import CHOICE_SPEC, UNSUBSCRIBE_SPEC
from errand.errors import FormRefused

unsubscribe = Blueprint("unsubscribe", __name__)
refuse_in_html(unsubscribe)


@unsubscribe.get("/unsubscribe/<token>")
@documented("openUnsubscribePage", tags=["mail"], **CHOICE_SPEC)
def choose(token: str) -> Answer:
    """See whether mails are sent to an address

    Returns a page (HTML) with a button that stops mails to the address, or starts them again. Loading it changes
    nothing.
    """
    address = current_errand().links().address_of(token)
    return _page(address, is_off=current_errand().store.is_unsubscribed(address))


@unsubscribe.post("/unsubscribe/<token>")
@documented("unsubscribe", tags=["mail"], **UNSUBSCRIBE_SPEC)
def change(token: str) -> Answer:
    """Stop mails to an address, or start them again

    The body is the form that mail programs send when their unsubscribe button is clicked (RFC 8058). The link is all
    that is needed.
    """
    address = current_errand().links().address_of(token)
    match request.form.get("List-Unsubscribe"):
        case "One-Click":  # RFC 8058 defines this value; `Resume` is ours
            current_errand().store.unsubscribe(address)
            return _page(address, is_off=True, changed=True)
        case "Resume":
            current_errand().store.resubscribe(address)
            return _page(address, is_off=False, changed=True)
    raise FormRefused()


def _page(address: str, *, is_off: bool, changed: bool = False) -> Answer:
    return page_answer("unsubscribe.html", address=address, is_off=is_off, changed=changed)
