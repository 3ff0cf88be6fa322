"""Refuses a webhook that could never be told: no secret to sign it with, or an address that is plainly not public.

Stands at step 1 of a job's life, behind the check by form in `schemas/webhooks.py`. What a name points to is asked only
when something is sent, by `workers/outbound/address_guard.py`: the API asks no name server.
"""

from typing import Final
from urllib.parse import urlsplit

from api.http.body import Path, pointer, refusal
from errand.settings import Settings
from errand.trust.networks import Networks
from schemas.problems import Fault
from schemas.requests import Work

SWITCHED_OFF: Final = "can't be kept: webhooks are switched off here (WEBHOOK_SECRET is not set); leave it out"
NOT_PUBLIC: Final = "is not on the public internet, so Errand doesn't connect to it; name a public host"


def refuse_webhook(body: Work, settings: Settings, at: Path = ()) -> None:
    """Raise JobRefused where `body`, which stands `at` this place, has a webhook that could never be told."""
    if body.webhook_url is None:
        return
    told = "" if settings.webhook_keys else SWITCHED_OFF
    if not told and _is_private(urlsplit(body.webhook_url).hostname or "", settings):
        told = NOT_PUBLIC
    if told:
        raise refusal([Fault(pointer=pointer(*at, "webhook_url"), detail=told)])


def _is_private(host: str, settings: Settings) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        host = "127.0.0.1"
    elif not host.replace(".", "").isdigit():
        return False
    # what is written in digits and is no address is refused as well: some resolvers would make one of it
    return not Networks(settings.guard_allowed).permits(host)
