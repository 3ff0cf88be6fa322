"""Where the forms of Swagger UI get values that exist, such as a job's id: `x-example-from` of a parameter.

`api/static/apidocs/filled_forms.js` reads it and says what the fields mean; docs/extending.md has it for plug-ins.
A form that changes or deletes something never opens with the id of somebody's job: it makes one of its own.
"""

from typing import Any, Final

from api.http.specs import JOB_ID, Spec

EXTENSION: Final = "x-example-from"

_TAGS: Final = {"tags": ["swagger-ui"]}
_SUM: Final = {"operation": "sum", "arguments": {"value": 30, "other": 10}, **_TAGS}
_WAIT: Final = {"Prefer": "wait=10"}
_NO_MAIL: Final = " If there is none yet, Execute first submits a job whose mail has one."
_DAY: Final = 86_400


def filled(parameter: Spec, **source: Any) -> Spec:
    """Return a parameter whose field is filled from `look`, or from `make` if there is nothing to look at."""
    return parameter | {EXTENSION: source}


def _submitted(note: str, body: Spec, **more: Any) -> Spec:
    """Describe the submission of an example job, whose id the form uses; `note` says so below the field."""
    return {"post": "/jobs", "body": body, "at": "/id", "note": note, **more}


ANY_JOB: Final = filled(
    JOB_ID,
    look={"get": "/jobs?limit=1", "each": "/jobs", "at": "/id"},
    make=_submitted("Filled with the newest job. If there is none yet, Execute first submits an example.", _SUM),
)
ENDED_JOB: Final = filled(
    JOB_ID,
    make=_submitted("Left empty, Execute first submits an example and waits for its end.", _SUM, headers=_WAIT),
)
WAITING_JOB: Final = filled(
    JOB_ID,
    make=_submitted("Left empty, Execute first submits an example that is to run tomorrow.", _SUM | {"delay": _DAY}),
)
FAILED_JOB: Final = filled(
    JOB_ID,
    make=_submitted(
        "Left empty, Execute first submits an example that fails: a division by 0.",
        {"operation": "div", "arguments": {"value": 1, "other": 0}, "max_attempts": 1, **_TAGS},
        headers=_WAIT,
    ),
)
UNHEARD_JOB: Final = filled(
    JOB_ID,
    make=_submitted(
        "Left empty, Execute first submits an example with a webhook that nobody answers.",
        _SUM | {"webhook_url": "https://errand.invalid/"},
        headers=_WAIT,
        until={"get": "/jobs/{}", "match": '"last_error":"'},
    ),
)


def mail_look(path: str, match: str, **where: str) -> Spec:
    """Describe where to look for a text in the caught mails: `match` has it as its group, `where` narrows the mails."""
    mails = {"get": "/mailbox/mails?limit=200", "each": "/mails", "at": "/id", "where": where}
    return mails | {"then": f"/mailbox/mails/{{}}{path}", "match": match}


def mailed(note: str, to: str = "swagger-ui@example.com", operation: Spec = _SUM, **more: Any) -> Spec:
    """Describe the submission of an example job that is mailed."""
    return {"post": "/jobs", "body": operation | {"email": to}, "note": note, **more}


def with_token(token: Spec, link: str) -> Spec:
    """Fill a token from the newest caught mail with such a link."""
    note = "Filled from the newest mail in the mailbox, if mails are caught (`MAILBOX`)." + _NO_MAIL
    return filled(token, look=mail_look("/text", f"/{link}/([^/\\s>]+)"), make=mailed(note))


def with_own_token(token: Spec, link: str) -> Spec:
    """Fill a token from a mail of its own: using it changes something for its address."""
    address = "{random}@example.com"
    note = "Left empty, Execute first submits a job that is mailed to a new address, if mails are caught (`MAILBOX`)."
    look = mail_look("/text", f"/{link}/([^/\\s>]+)", to=address)
    return filled(token, make=mailed(note, address, look=look))
