"""Names mails: the Message-ID of each, and the receipt that starts the thread of a job's mails."""

from errand.store import DueJobNotification, DueLetter, DueNotification
from schemas.notifications import NoticeKind


def thread_of(notice: DueNotification, domain: str) -> tuple[str, str | None]:
    """Return the Message-ID of the mail, and that of the receipt which a mail about the end of a job replies to."""
    name = notice.name or notice.kind
    if isinstance(notice, DueLetter) or notice.kind is NoticeKind.RECEIPT:
        return message_id(notice.id, name, domain), None
    own_id = message_id(notice.id, name, domain, retries=_unnamed_run(notice, name))
    return own_id, message_id(notice.id, receipt_of(notice.name), domain)


def message_id(job_id: str, name: str, domain: str, *, retries: int = 0) -> str:
    """Return the Message-ID of a notification's mail, in angle brackets.

    `name` is the notification's name, such as `result-2`. A job that was retried by hand ends again, and that mail is
    another one: `retries` makes its Message-ID differ if its name, such as `failure1`, does not.
    """
    return f"<{job_id}.{name}{retries or ''}@{domain}>"


def _unnamed_run(notice: DueJobNotification, name: str) -> int:
    """Return the run that the mail is about, or 0 if `name` has it: earlier releases had one name for all runs."""
    if name.partition("-")[0] != notice.kind:
        return 0
    return notice.ending.run if notice.ending else notice.record.retries


def receipt_of(name: str) -> str:
    """Return the name of the receipt to the same recipient as the notification called `name`."""
    _, hyphen, number = name.partition("-")
    return f"{NoticeKind.RECEIPT}{hyphen}{number}"
