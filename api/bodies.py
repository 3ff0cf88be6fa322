"""Reads a request's body into its model, or refuses it with a sentence for each wrong place.

Stands at step 1 of a job's life, before anything is stored. Next: `accepting.py`, which asks for the body.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json
from werkzeug.exceptions import RequestEntityTooLarge

from errand.errors import BodyUnreadable, JobRefused, MediaTypeUnsupported
from schemas.problems import Fault

JSON: Final = "application/json"
MAX_BYTES: Final = 1024 * 1024
"""Bytes of the largest body that is read."""
MOST_FAULTS: Final = 20
"""Wrong places that are told at once; who sends more learns of the rest later."""
MOST_CHARACTERS: Final = 200
"""Characters of a client's own words that are repeated to him."""

M = TypeVar("M", bound=BaseModel)


def read_body(model: type[M]) -> M:
    """Read the body of this request as `model`; raise what is wrong with it."""
    # the first test is for speed: it spares nearly every request the taking apart of the header
    if request.environ.get("CONTENT_TYPE") != JSON and request.mimetype != JSON:
        raise MediaTypeUnsupported()
    raw = request.get_data(cache=False)
    if len(raw) > MAX_BYTES:  # chunks, whose length nobody announced; app.py has them cut just above this
        raise RequestEntityTooLarge()
    try:
        data = from_json(raw, allow_inf_nan=False, cache_strings="keys")
    except ValueError as fault:
        raise BodyUnreadable(f"The body is not JSON: {fault}. Send a JSON object in UTF-8.") from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise refusal(_fault(model, row) for row in error.errors(include_url=False, include_input=False)) from None


def refusal(faults: Iterable[Fault]) -> JobRefused:
    """Make the error that names each wrong place."""
    rows = list(islice(faults, MOST_FAULTS))
    places = " and ".join(row.pointer or "the body" for row in rows[:3]) + (" and more" if len(rows) > 3 else "")
    return JobRefused(f"Nothing was stored: correct {places}, then send it again.", errors=[dict(row) for row in rows])


def pointer(*path: str | int) -> str:
    """Write a path into the body as a JSON Pointer (RFC 6901)."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return "".join(f"/{step}" for step in steps)[:MOST_CHARACTERS]


def _fault(model: type[BaseModel], row: ErrorDetails) -> Fault:
    """Say in one sentence what one row of a pydantic error means to the client."""
    context: dict[str, Any] = row.get("ctx", {})
    match row["type"]:
        case "missing":
            detail = "is missing; it is required"
        case "extra_forbidden":
            detail = f"is not a known field; known are {', '.join(model.model_fields)}"
        case "string_type":
            detail = "must be a text"
        case "dict_type" | "model_type" | "model_attributes_type":
            detail = "must be a JSON object"
        case "literal_error":
            detail = f"must be {context['expected']}"
        case "string_too_short":
            detail = f"must have at least {context['min_length']} character"
        case "string_too_long":
            detail = f"must have at most {context['max_length']} characters"
        case _:
            detail = row["msg"].removeprefix("Value error, ")
    return Fault(pointer=pointer(*row["loc"]), detail=detail)
