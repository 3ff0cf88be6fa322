"""Names mails: the Message-ID of each, and the receipt that starts the thread of a job's mails."""

from errand.store import DueLetter, DueNotification
from schemas.notifications import NoticeKind


def thread_of(notice: DueNotification, domain: str) -> tuple[str, str | None]:
    """Return the Message-ID of the mail, and that of the receipt which a mail about the end of a job replies to."""
    name = notice.name or notice.kind
    if isinstance(notice, DueLetter) or notice.kind is NoticeKind.RECEIPT:
        return message_id(notice.id, name, domain), None
    own_id = message_id(notice.id, name, domain, retries=notice.record.retries)
    return own_id, message_id(notice.id, receipt_of(notice.name), domain)


def message_id(job_id: str, name: str, domain: str, *, retries: int = 0) -> str:
    """Return the Message-ID of a notification's mail, in angle brackets.

    `name` is the notification's name, such as `result-2`. A job that was retried by hand ends again, and that mail is
    another one: `retries` makes its Message-ID differ.
    """
    return f"<{job_id}.{name}{retries or ''}@{domain}>"


def receipt_of(name: str) -> str:
    """Return the name of the receipt to the same recipient as the notification called `name`."""
    _, hyphen, number = name.partition("-")
    return f"{NoticeKind.RECEIPT}{hyphen}{number}"
