"""What the answer of a webhook's receiver means: taken, refused for good, or to be sent again.

Stands at step 6 of a job's life, behind `sender.py`. Only the status counts, and when to come again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from workers.outbound.http import HttpResponse

BUSY: Final = (429, 503)
"""Answers that may say when to come again."""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What came of an attempt: `error` is empty when the receiver took it. `retry_after`: seconds it asks for."""

    error: str
    for_good: bool = False
    retry_after: float = 0.0


def result_of(answer: HttpResponse) -> DeliveryResult:
    """Read an answer."""
    status = answer.status
    if 200 <= status < 300:
        return DeliveryResult("")
    if status == 410:
        return DeliveryResult("The receiver answered 410: it wants no more webhooks at this address.", for_good=True)
    if 300 <= status < 400:
        return DeliveryResult(f"The receiver answered {status}, a redirect; these aren't followed.")
    wanted = _seconds(answer.headers.get("retry-after", "")) if status in BUSY else 0.0
    return DeliveryResult(f"The receiver answered {status}.", retry_after=wanted)


def _seconds(text: str) -> float:
    """Read `Retry-After`: seconds, or a date; 0 for what is neither."""
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
