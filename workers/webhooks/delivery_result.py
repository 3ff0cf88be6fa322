"""Interprets the response of a webhook's receiver: accepted, refused for good, or to be sent again.

Only the status and `Retry-After` count.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from workers.outbound.http import HttpResponse

BUSY: Final = (429, 503)
"""Statuses with which a receiver may ask for a pause by `Retry-After`."""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How an attempt ended. `error` is empty if the receiver accepted the event; `retry_after` is in seconds."""

    error: str
    for_good: bool = False
    retry_after: float = 0.0


def result_of(answer: HttpResponse) -> DeliveryResult:
    """Return what a response means for the attempt."""
    status = answer.status
    if 200 <= status < 300:
        return DeliveryResult("")
    if status == 410:
        return DeliveryResult("The receiver answered 410: it wants no more webhooks at this address.", for_good=True)
    if 300 <= status < 400:
        return DeliveryResult(f"The receiver answered {status}, a redirect; redirects aren't followed.")
    wanted = _seconds(answer.headers.get("retry-after", "")) if status in BUSY else 0.0
    return DeliveryResult(f"The receiver answered {status}.", retry_after=wanted)


def _seconds(text: str) -> float:
    """Parse `Retry-After`, which is in seconds or a date; return 0 if it is neither."""
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
