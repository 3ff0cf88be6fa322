"""Refuses a webhook that can't be delivered: webhooks are switched off, or its address is plainly not public.

`schemas/webhooks.py` has already checked its form. The API resolves no host names; `workers/outbound/address_guard.py`
does, when the webhook is sent. Next: `options.py`.
"""

from typing import Final
from urllib.parse import urlsplit

from api.http.body import pointer, refusal
from api.http.json_text import Path
from errand.settings import Settings
from errand.trust.networks import Networks
from schemas.problems import Fault
from schemas.requests import Work

SWITCHED_OFF: Final = "can't be used: webhooks are switched off here (WEBHOOK_SECRET is not set); leave it out"
NOT_PUBLIC: Final = "is not on the public internet, so Errand does not connect to it; name a public host"


def refuse_webhook(body: Work, settings: Settings, at: Path = ()) -> None:
    """Raise JobRefused if the webhook of `body` can't be delivered; `at` is the path of the job in the body."""
    if body.webhook_url is None:
        return
    fault = "" if settings.webhook_keys else SWITCHED_OFF
    if not fault and _is_private(urlsplit(body.webhook_url).hostname or "", settings):
        fault = NOT_PUBLIC
    if fault:
        raise refusal([Fault(pointer=pointer(*at, "webhook_url"), detail=fault)])


def _is_private(host: str, settings: Settings) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        host = "127.0.0.1"
    elif not host.replace(".", "").isdigit():
        return False
    # digits that are no valid address are refused as well: some resolvers would make an address of them
    return not Networks(settings.allowed_networks).permits(host)
