"""Sample notifications of every kind, to test an operator's templates before anybody is mailed.

Used by `workers/mail/service.py` when it starts.
"""

import json
import logging
from base64 import b64decode
from collections.abc import Iterator
from typing import Final

from errand.job_error import JobError
from errand.record import JobRecord
from errand.settings import Settings
from errand.store import DueJobNotification, DueLetter, DueNotification
from errand.trust.links import SignedLinks
from schemas.notifications import NoticeKind
from schemas.pictures import Picture
from workers.mail.writing.template_set import templates_in
from workers.mail.writing.words import write_words

log = logging.getLogger(__name__)

ID: Final = "0192f3a4-1111-7222-8333-444455556666"
SINCE: Final = 1_795_241_594_123
"""When the samples' job was accepted and ended (ms): a Saturday in November 2026."""

_JOB: Final = {
    "operation": "sum",
    "status": "accepted",
    "created_at": str(SINCE),
    "max_attempts": "3",
    "arguments": '{"value":30,"other":10}',
    "email": "name@email.com",
    "attempt": "1",
    "expires_at": str(SINCE + 86_400_000),
}
_DOT: Final = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")
_COLUMN: Final = {"column": "age", "type": "integer", "count": 2, "minimum": 36, "maximum": 41, "mean": 38.5}


def sample(kind: NoticeKind, **fields: str) -> DueNotification:
    """Make a notification about the job of the samples, with these fields as Redis has them; or a letter with them."""
    if kind is NoticeKind.LETTER:
        return DueLetter(
            kind=kind,
            id=ID,
            since=SINCE,
            name=kind.value,
            to="name@email.com",
            subject=fields["subject"],
            body=fields["body"],
        )
    record = JobRecord.read(ID, _JOB | fields)
    return DueJobNotification(kind=kind, id=ID, since=SINCE, name=kind.value, to="name@email.com", record=record)


def samples() -> Iterator[DueNotification]:
    """Return a notification for each form that a mail can have."""
    yield sample(NoticeKind.RECEIPT)
    yield sample(NoticeKind.RECEIPT, notify="accepted failed")
    for result in (
        40,
        "the first line\nthe second line",
        {"count": 2, "mean": 38.5},
        {"rows": [_COLUMN], "more": {"of": ["them"]}},
        [_COLUMN] * 2,
        [_COLUMN] * 200,
        [{f"column {n}": "some words" for n in range(24)}] * 30,
        {"deep": [[[[[[[{"a": 1}]]]]]]], "members": {f"m{n}": [n] for n in range(60)}, "none": None},
        [1.5, "two", None],
        "a long text " * 10_000,
    ):
        yield sample(NoticeKind.RESULT, result=json.dumps(result))
    yield sample(NoticeKind.RESULT, result=Picture.of(_DOT, "A dot").model_dump_json())
    for attempt, public in (("1", True), ("3", True), ("1", False), ("3", False)):
        error = JobError("ZeroDivisionError", "division by zero", public)
        yield sample(NoticeKind.FAILURE, attempt=attempt, error=error.written())
    yield sample(NoticeKind.FAILURE)
    yield sample(NoticeKind.CANCELLED, error='{"type":"Cancelled","message":"called off while it ran"}')
    yield sample(NoticeKind.CANCELLED)
    yield sample(NoticeKind.LETTER, subject="testing", body="Just testing\n\nwith two paragraphs")
    yield sample(NoticeKind.LETTER, subject="a long one", body=("many words\n" * 10_000).strip())


def check_templates(settings: Settings) -> None:
    """Write each sample's mail once; raise SettingsRefused with file, line and reason if a template fails."""
    templates = templates_in(settings.mail_templates)
    links = SignedLinks(bytes(32), settings.base_url)
    for notice in samples():
        words = write_words(notice, settings, links)
        for each in (words, words.without_attachments()):
            templates.check(each.kind, each.variables)
    for name in templates.unused():
        fields = {"action": "mail_template_unused"}
        log.warning("MAIL_TEMPLATES: no mail is written with %s; is it misspelt?", name, extra=fields)
