"""Who is told of a job, as its body says it; refuses addresses to which this Errand doesn't mail.

Stands at step 1 of a job's life, behind the check by form in `schemas/recipients.py`. Next: `webhook_url.py`.
"""

from api.http.body import Path, pointer, refusal
from errand.settings import Settings
from errand.trust.recipients import is_allowed, not_allowed
from schemas.notices import Occasion
from schemas.problems import Fault
from schemas.requests import ComputeRequest, Work

Body = ComputeRequest | Work


def refuse_recipients(body: Body, settings: Settings, at: Path = ()) -> None:
    """Raise JobRefused where `body`, which stands `at` this place, has addresses that may not be mailed to."""
    if body.email is None or not settings.mail_allow:
        return
    domains, emails = settings.mail_allowed, emails_of(body)
    places: list[Path] = [("email",)] if len(emails) == 1 else [("email", index) for index in range(len(emails))]
    faults = [
        Fault(pointer=pointer(*at, *place), detail=not_allowed(domains))
        for place, email in zip(places, emails, strict=True)
        if not is_allowed(email, domains)
    ]
    if faults:
        raise refusal(faults)


def emails_of(body: Body) -> tuple[str, ...]:
    """Give the addresses of those who are mailed."""
    return tuple(body.email.split(" ")) if body.email else ()


def notify_of(body: Body) -> tuple[Occasion, ...]:
    """Give what they are told of; nothing means everything."""
    return tuple(body.notify.on) if body.notify else ()
