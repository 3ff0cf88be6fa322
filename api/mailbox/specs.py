"""The API document's descriptions of the mailbox's views; the document has them only if MAILBOX is set."""

from typing import Any, Final

from api.http.form_values import filled, mail_look, mailed
from api.http.specs import RETRY_AFTER, Spec, json_response, parameter, problem_response
from api.mailbox.contents import SHOWN_HEADERS
from errand.errors import MailUnknown, ParameterRefused, StreamsFull

MOST_ROWS: Final = 200
DEFAULT_ROWS: Final = 50
"""Mails on one page: at most, and by default."""
ID_PATTERN: Final = "^[0-9a-f]{20}$"

_TEXT: Final[Spec] = {"type": "string"}
_COUNT: Final[Spec] = {"type": "integer", "minimum": 0}
_ID: Final[Spec] = {"type": "string", "pattern": ID_PATTERN}


def _object(**properties: Spec) -> Spec:
    return {"type": "object", "properties": properties, "required": list(properties)}


_ROW: Final[dict[str, Spec]] = {
    "id": _ID,
    "sender": _TEXT,
    "to": _TEXT,
    "subject": _TEXT,
    "arrived_at": {"type": "string", "format": "date-time"},
    "size": _COUNT | {"description": "The size of the whole mail in bytes."},
    "attachments": _COUNT,
}
_FILE: Final = _object(number=_COUNT, name=_TEXT, media_type=_TEXT, size=_COUNT)
_LIST: Final = _object(
    mails={"type": "array", "items": _object(**_ROW)},
    total=_COUNT | {"description": "The number of mails in the mailbox."},
    next=_ID | {"nullable": True, "description": "The `cursor` of the next page; null: this is the last page."},
)
_WHOLE: Final = _object(
    **{
        **_ROW,
        "headers": {"type": "object", "additionalProperties": _TEXT, "description": ", ".join(SHOWN_HEADERS)},
        "html": {"type": "boolean", "description": "Whether the mail has an HTML part."},
        "text": {"type": "boolean", "description": "Whether the mail has a text part."},
        "attachments": {"type": "array", "items": _FILE},
    }
)
_ID_PARAMETER: Final = parameter("mail_id", "path", "The mail's id.", pattern=ID_PATTERN)
_MAIL_ID: Final = filled(
    _ID_PARAMETER,
    look={"get": "/mailbox/mails?limit=1", "each": "/mails", "at": "/id"},
    make=mailed("Filled with the newest mail. If there is none yet, Execute first submits a job that is mailed."),
)
_TABLE: Final = {
    "operation": "csv_summary",
    "arguments": {"text": "name,age\nAda,36\nAlan,41\n"},
    "tags": ["swagger-ui"],
}
_MAIL_WITH_FILE: Final = filled(
    _ID_PARAMETER,
    look=mail_look("", '"id": "([0-9a-f]{20})".*"number": 1'),
    make=mailed(
        "Filled with the newest mail that has an attachment. If there is none yet, Execute first submits a job whose "
        "mail has one.",
        operation=_TABLE,
    ),
)
_NUMBER: Final = parameter("number", "path", "The attachment's number.", type="integer", minimum=1) | {"example": 1}
_UNKNOWN: Final = problem_response("There is no mail with this id, or it was deleted.", MailUnknown())


def _as(media_type: str, description: str) -> Spec:
    return {"description": description, "content": {media_type: {"schema": _TEXT}}}


PAGE_SPEC: Final[Spec] = {"responses": {"200": _as("text/html", "The page.")}}
LIST_SPEC: Final[Spec] = {
    "parameters": [
        parameter(
            "limit",
            "query",
            "The maximum number of mails on the page.",
            type="integer",
            minimum=1,
            maximum=MOST_ROWS,
            default=DEFAULT_ROWS,
        ),
        parameter("cursor", "query", "Where the page begins: the `next` of the previous page.", pattern=ID_PATTERN),
    ],
    "responses": {
        "200": json_response("A page of mails, the newest first.", _LIST),
        "400": problem_response("A parameter is unknown or out of range.", ParameterRefused(parameter="limit")),
        "404": problem_response(
            "The last mail of the previous page was deleted; start again without `cursor`.", MailUnknown()
        ),
    },
}
MAIL_SPEC: Final[Spec] = {
    "parameters": [_MAIL_ID],
    "responses": {"200": json_response("The mail.", _WHOLE), "404": _UNKNOWN},
}
CLEAR_SPEC: Final[Spec] = {"responses": {"204": {"description": "All mails are deleted."}}}
DOWNLOAD_SPEC: Final[Spec] = {
    "parameters": [_MAIL_WITH_FILE, _NUMBER],
    "responses": {
        "200": {
            "description": "The file.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        "404": _UNKNOWN,
    },
}
_SAMPLE: Final = 'retry: 2000\nevent: mails\ndata: {"total": 2, "newest": "2f6e0b9c9d1f4f7a8b3c"}\n\n'
EVENTS_SPEC: Final[Spec] = {
    "responses": {
        "200": {
            "description": "A stream of events (Server-Sent Events).",
            "content": {"text/event-stream": {"schema": _TEXT, "example": _SAMPLE}},
        },
        "503": problem_response("Too many streams are open.", StreamsFull(), RETRY_AFTER),
    }
}


def part_spec(media_type: str, description: str) -> dict[str, Any]:
    """Describe a view that shows one part of a mail."""
    return {"parameters": [_MAIL_ID], "responses": {"200": _as(media_type, description), "404": _UNKNOWN}}
