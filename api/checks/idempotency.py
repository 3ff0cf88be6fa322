"""The Idempotency-Key: who sends a job again under the same key gets the job there already is.

Stands at step 1 of a job's life; the store compares the fingerprints in the script that stores the job. Next:
`api/events/prefer.py`.
"""

import json
import re
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from flask import request

from errand.errors import IdempotencyKeyRefused
from errand.store import NewJob
from schemas.requests import Request

HEADER: Final = "HTTP_IDEMPOTENCY_KEY"
KEY_PATTERN: Final = r"^[!-~]{1,255}$"
"""A key as it is sent: bare, or as a quoted string (which the IETF's draft asks for)."""

_KEY: Final = re.compile(KEY_PATTERN.strip("^$"))
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\["\\])+)"')
_WORK_FIELDS: Final = {"operation", "arguments", "value", "other"}
"""Fields of a body that are told by the job itself."""


def sent_key() -> str | None:
    """Give this request's key, quoted or not; raise IdempotencyKeyRefused."""
    text: str | None = request.environ.get(HEADER)
    if text is None:
        return None
    if not _KEY.fullmatch(text):
        raise IdempotencyKeyRefused()
    quoted = _QUOTED.fullmatch(text)
    return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text


def with_key(job: NewJob, body: Request) -> NewJob:
    """Give the job the key of this request, if it has one."""
    key = sent_key()
    return job if key is None else replace(job, key=key, fingerprint=fingerprint(canonical_request(job, body)))


def canonical_request(job: NewJob, body: Request) -> dict[str, Any]:
    """Tell what was asked for, in the same way for every path and for every order of the fields."""
    options = body.model_dump(exclude=_WORK_FIELDS, exclude_defaults=True)
    origin = {"origin": job.origin} if job.origin else {}
    return {**options, **origin, "operation": job.operation, "arguments": json.loads(job.arguments)}


def fingerprint(of: object) -> str:
    """Give the fingerprint of what was asked for."""
    return sha256(json.dumps(of, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
