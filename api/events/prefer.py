"""`Prefer: wait=N`: who asks for it gets the finished job, if it finishes within N seconds.

Stands at both ends of a job's life, for its client. Next: `waiting.py`, which waits.
"""

import re
from typing import Final

from flask import request

HEADER: Final = "HTTP_PREFER"
MOST_SECONDS: Final = 30
"""Longest wait; who asks for more gets this."""
MOST_CHARACTERS: Final = 1000
"""Of a header, which is read up to here: nobody prefers that much."""
APPLIED: Final = "Preference-Applied"

_PART: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+')
"""One preference of the list (RFC 7240): a comma inside quotes doesn't end it."""
_WAIT: Final = re.compile(r'\s*wait\s*=\s*("?)(?P<seconds>[0-9]+)\1\s*(?:;.*)?', re.IGNORECASE | re.DOTALL)


def wanted_wait() -> int | None:
    """Give the seconds this request prefers to wait, or None."""
    text: str | None = request.environ.get(HEADER)
    return None if text is None else wait_in(text)


def wait_in(text: str) -> int | None:
    """Read the first `wait` of a Prefer header; what can't be read is no preference."""
    found = next(filter(None, map(_WAIT.fullmatch, _PART.findall(text[:MOST_CHARACTERS]))), None)
    if found is None:
        return None
    digits = found["seconds"].lstrip("0")
    return min(int(digits or 0), MOST_SECONDS) if len(digits) < 4 else MOST_SECONDS


def applied(seconds: int | None) -> dict[str, str]:
    """Give the header that says so."""
    return {} if seconds is None else {APPLIED: f"wait={seconds}"}


def wait_for(job_id: str, seconds: int) -> bool:
    """Wait until the job has ended; False when it has not within these seconds, or when too many wait already."""
    from api.events.waiting import wait_until_final  # only who asks to wait pays for what that needs

    return wait_until_final(job_id, seconds)
