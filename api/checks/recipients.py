"""Reads a job's recipients from its body, and refuses addresses that `MAIL_ALLOW` excludes.

`schemas/recipients.py` has already checked their form. Next: `webhook_url.py`.
"""

from api.http.body import pointer, refusal
from api.http.json_text import Path
from errand.settings import Settings
from errand.trust.recipients import is_allowed, not_allowed_message
from schemas.notifications import Occasion
from schemas.problems import Fault
from schemas.requests import ComputeRequest, Work

Body = ComputeRequest | Work


def refuse_recipients(body: Body, settings: Settings, at: Path = ()) -> None:
    """Raise JobRefused if an address of `body` is not allowed; `at` is the path of the job in the body."""
    if body.email is None or not settings.mail_allow:
        return
    domains, emails = settings.allowed_domains, emails_of(body)
    places: list[Path] = [("email",)] if len(emails) == 1 else [("email", index) for index in range(len(emails))]
    faults = [
        Fault(pointer=pointer(*at, *place), detail=not_allowed_message(domains))
        for place, email in zip(places, emails, strict=True)
        if not is_allowed(email, domains)
    ]
    if faults:
        raise refusal(faults)


def emails_of(body: Body) -> tuple[str, ...]:
    """Return the addresses that get the job's mails."""
    return body.email or ()


def notify_of(body: Body) -> tuple[Occasion, ...]:
    """Return the occasions that are notified; an empty tuple means all."""
    return tuple(body.notify.on) if body.notify else ()
