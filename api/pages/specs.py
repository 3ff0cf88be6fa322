"""The API document's descriptions of the pages behind the links in mails (`job.py` and `unsubscribe.py`)."""

from typing import Any, Final

from api.events.specs import WATCHING as JOB_EVENTS_SPEC
from api.http.form_values import with_own_token, with_token
from api.http.specs import STORE_DOWN, TOO_LARGE, UNSUPPORTED, Spec, parameter, problem_response
from api.pages.result import BUTTONS
from errand.errors import FileUnknown, FormRefused, LinkExpired, LinkRefused

_TOKEN: Final = parameter("token", "path", "The last part of a link in one of our mails, up to 1,000 characters.")
_VIEW: Final = with_token(_TOKEN, "view")
_CHOICE: Final = with_token(_TOKEN, "unsubscribe")
_CHANGE: Final = with_own_token(_TOKEN, "unsubscribe")
_HTML: Final[Spec] = {"text/html": {"schema": {"type": "string"}}}
_MARKED: Final = {"X-Robots-Tag": {"description": "`noindex, nofollow`.", "schema": {"type": "string"}}}


def _page(description: str) -> Spec:
    return {"description": description, "content": _HTML, "headers": _MARKED}


def _in_both(problem: Spec) -> Spec:
    """Describe an error that browsers get as a page."""
    return problem | {"content": _HTML | problem["content"]}


_UNKNOWN: Final = _in_both(problem_response("This link is not valid, or its job is no longer kept.", LinkRefused()))
_FORGED: Final = _in_both(problem_response("This link is not valid.", LinkRefused()))
_EXPIRED: Final = _in_both(problem_response("The link has expired (`LINK_TTL`).", LinkExpired()))
_DOWN: Final = _in_both(STORE_DOWN)
_REFUSALS: Final[dict[str, Any]] = {"404": _UNKNOWN, "410": _EXPIRED, "503": _DOWN}

VIEW_SPEC: Final[Spec] = {"parameters": [_VIEW], "responses": {"200": _page("The page."), **_REFUSALS}}

EVENTS_SPEC: Final[Spec] = {
    "parameters": [_VIEW, *JOB_EVENTS_SPEC["parameters"][1:]],
    "responses": {
        **JOB_EVENTS_SPEC["responses"],
        "400": _in_both(JOB_EVENTS_SPEC["responses"]["400"]),
        "404": _UNKNOWN,
        "410": _EXPIRED,
        "503": _in_both(JOB_EVENTS_SPEC["responses"]["503"]),
    },
}

_FILES: Final[Spec] = {
    "application/json": {"schema": {}},
    **{
        media_type: {"schema": {"type": "string", "format": "binary"}}
        for media_type in ("text/csv", "text/plain", "image/png", "image/jpeg", "image/gif", "image/webp")
    },
}
DOWNLOAD_SPEC: Final[Spec] = {
    "parameters": [_VIEW, parameter("kind", "path", "The kind of file.", enum=sorted(BUTTONS)) | {"example": "json"}],
    "responses": {
        "200": {"description": "The file, as an attachment.", "content": _FILES, "headers": _MARKED},
        **_REFUSALS,
        "404": _in_both(
            problem_response(
                "This link is not valid, its job is no longer kept, or the result has no file of this kind.",
                FileUnknown(),
            )
        ),
    },
}

CHOICE_SPEC: Final[Spec] = {
    "parameters": [_CHOICE],
    "responses": {"200": _page("The page."), "404": _FORGED, "503": _DOWN},
}

_FORM: Final[Spec] = {
    "schema": {
        "type": "object",
        "properties": {
            "List-Unsubscribe": {
                "type": "string",
                "enum": ["One-Click", "Resume"],
                "description": "`One-Click` (RFC 8058) stops mails to the address, `Resume` starts them again.",
            }
        },
        "required": ["List-Unsubscribe"],
    },
    "example": {"List-Unsubscribe": "One-Click"},
}
UNSUBSCRIBE_SPEC: Final[Spec] = {
    "parameters": [_CHANGE],
    "requestBody": {
        "required": True,
        "content": {"application/x-www-form-urlencoded": _FORM, "multipart/form-data": _FORM},
    },
    "responses": {
        "200": _page("The change is made. The page offers to undo it."),
        "400": _in_both(
            problem_response("The form has no `List-Unsubscribe` with one of the two values.", FormRefused())
        ),
        "404": _FORGED,
        "413": _in_both(TOO_LARGE),
        "415": _in_both(UNSUPPORTED),
        "503": _DOWN,
    },
}
