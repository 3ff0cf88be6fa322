"""Reads `Prefer: wait=N` (RFC 7240): the client wants the finished job, if it finishes within N seconds.

Next: `wait_for_end.py`.
"""

import re
from typing import Final

from flask import request

HEADER: Final = "HTTP_PREFER"
MOST_SECONDS: Final = 30
"""Longest wait; a longer one is shortened to this."""
MOST_CHARACTERS: Final = 1000
"""Characters read of the header."""
APPLIED: Final = "Preference-Applied"

_PREFERENCE: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+')
"""One preference of the list: a comma inside quotes doesn't end it."""
_WAIT: Final = re.compile(r'\s*wait\s*=\s*("?)(?P<seconds>[0-9]+)\1\s*(?:;.*)?', re.IGNORECASE | re.DOTALL)


def preferred_wait() -> int | None:
    """Return the seconds that this request prefers to wait, or None."""
    text: str | None = request.environ.get(HEADER)
    return None if text is None else wait_in(text)


def wait_in(text: str) -> int | None:
    """Return the seconds of the first `wait` in a Prefer header; None when it has no valid one."""
    found = next(filter(None, map(_WAIT.fullmatch, _PREFERENCE.findall(text[:MOST_CHARACTERS]))), None)
    if found is None:
        return None
    digits = found["seconds"].lstrip("0")
    return min(int(digits or 0), MOST_SECONDS) if len(digits) < 4 else MOST_SECONDS


def applied(seconds: int | None) -> dict[str, str]:
    """Return the `Preference-Applied` header of the answer."""
    return {} if seconds is None else {APPLIED: f"wait={seconds}"}


def wait_for(job_id: str, seconds: int) -> bool:
    """Wait up to `seconds` until the job has ended; return whether it has."""
    from api.events.wait_for_end import wait_until_final  # only requests that wait pay for this import

    return wait_until_final(job_id, seconds)
