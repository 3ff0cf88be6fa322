"""The `Idempotency-Key` header: a request repeated under the same key gets the first request's job.

The script that stores the job compares the fingerprints.
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
KEY_PATTERN: Final = r'^(?:[!#-~][!-~]{0,254}|"(?:[!#-~][!-~]{0,253}|"[!-~]{1,253})?)$'
"""A key as the header spells it: bare, or as a quoted string (which the IETF draft requires), but no empty string."""

_KEY: Final = re.compile(KEY_PATTERN.strip("^$"))
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\["\\])+)"')
_WORK_FIELDS: Final = {"operation", "arguments", "value", "other"}
"""Fields of a body that a fingerprint takes from the job."""


def sent_key() -> str | None:
    """Return this request's key without quotes, or None. Raises IdempotencyKeyRefused."""
    text: str | None = request.environ.get(HEADER)
    if text is None:
        return None
    if not _KEY.fullmatch(text):
        raise IdempotencyKeyRefused()
    quoted = _QUOTED.fullmatch(text)
    return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text


def with_key(job: NewJob, body: Request) -> NewJob:
    """Return the job with this request's key and fingerprint, if the request has a key."""
    key = sent_key()
    return job if key is None else replace(job, key=key, fingerprint=fingerprint(canonical_request(job, body)))


def canonical_request(job: NewJob, body: Request) -> dict[str, Any]:
    """Return the request in one form, whatever path it was sent to and whatever defaults it spelled out."""
    options = body.model_dump(exclude=_WORK_FIELDS, exclude_defaults=True)
    if "email" in options:
        options["email"] = " ".join(options["email"])  # fingerprints in the store were made of this text
    origin = {"origin": job.origin} if job.origin else {}
    return {**options, **origin, "operation": job.operation, "arguments": json.loads(job.arguments)}


def fingerprint(of: object) -> str:
    """Return the fingerprint of a request in its canonical form."""
    return sha256(json.dumps(of, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
