"""Reads a request's body into its model, or refuses it with a sentence for each invalid field.

The first check of a submitted job. Next: `api/jobs/submit.py`, which calls it.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final, TypeVar, get_args

from flask import request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import RequestEntityTooLarge

from api.http.json_text import KeyRepeated, Path, parse_json
from errand.errors import BodyUnreadable, ContentEncodingUnsupported, JobRefused, MediaTypeUnsupported
from schemas.problems import Fault
from schemas.requests import MAX_BODY_BYTES

JSON: Final = "application/json"
MOST_FAULTS: Final = 20
"""Maximum number of faults in one answer."""
MOST_CHARACTERS: Final = 200
"""Maximum characters of the client's own text that an answer repeats."""

M = TypeVar("M", bound=BaseModel)
BODY_KEY: Final = "errand.body"
"""Key in the WSGI environment of a request whose body has been read already: that body."""

FAULT_SENTENCES: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "missing": lambda _: "is missing; it is required",
    "string_type": lambda _: "must be a string",
    "int_type": lambda _: "must be a whole number, without quotes",
    "float_type": lambda _: "must be a number, without quotes",
    "list_type": lambda _: "must be a list",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), lambda _: "must be a JSON object"),
    "literal_error": lambda context: f"must be {context['expected']}",
    "greater_than": lambda context: f"must be greater than {context['gt']:g}",
    "greater_than_equal": lambda context: f"must be at least {context['ge']:g}",
    "less_than_equal": lambda context: f"must be at most {context['le']:.15g}",
    "string_pattern_mismatch": lambda context: f"must match {context['pattern']}",
    "string_too_short": lambda context: f"must have at least {_count(context['min_length'], 'character')}",
    "string_too_long": lambda context: f"must have at most {_count(context['max_length'], 'character')}",
    "too_short": lambda context: f"must have at least {_count(context['min_length'], 'item')}",
    "too_long": lambda context: f"must have at most {_count(context['max_length'], 'item')}",
}
"""Our sentence for each type of pydantic error; for other types the client gets pydantic's own."""


def read_body(model: type[M]) -> M:
    """Read the request's body as `model`. Raises MediaTypeUnsupported, BodyUnreadable or JobRefused."""
    return validated(model, read_json())


def read_optional_body(model: type[M]) -> M:
    """Read the request's body as `model`; a missing body counts as an empty object. Raises as `read_body` does."""
    return validated(model, read_json() if request.get_data() else {})


def read_json() -> Any:
    """Read the request's body as JSON. Raises MediaTypeUnsupported, BodyUnreadable or JobRefused."""
    # the first comparison is for speed: it saves nearly every request the parsing of the header
    if request.environ.get("CONTENT_TYPE") != JSON and request.mimetype != JSON:
        raise MediaTypeUnsupported()
    return json_body()


def json_body() -> Any:
    """Read the request's body as JSON whatever its media type is (`curl -d` declares a form).

    Raises BodyUnreadable, or JobRefused if a key is given twice.
    """
    raw = request.environ.get(BODY_KEY)
    if raw is None:
        raw = request.get_data(cache=False)
    if len(raw) > MAX_BODY_BYTES:  # chunked: its length isn't announced, and app.py cuts it just above the limit
        raise RequestEntityTooLarge()
    try:
        return parse_json(raw)
    except KeyRepeated as repeated:
        raise refusal([key_fault(repeated)]) from None
    except ValueError as fault:
        raise BodyUnreadable(f"The body is not JSON: {fault}. Send a JSON object in UTF-8.") from None


def key_fault(repeated: KeyRepeated) -> Fault:
    """Describe a key that is given twice in a sentence for the client."""
    return Fault(pointer=pointer(*repeated.path), detail="is given more than once; give each key once")


def refuse_content_encoding() -> None:
    """Refuse a request whose body is compressed. Raises ContentEncodingUnsupported."""
    coding = request.environ.get("HTTP_CONTENT_ENCODING", "").strip()
    if coding.lower() in {"", "identity"} or not (
        request.content_length or "HTTP_TRANSFER_ENCODING" in request.environ
    ):
        return
    raise ContentEncodingUnsupported(
        f"The body is encoded as `{coding[:50]}`; send it as it is, without compression and without `Content-Encoding`."
    )


def validated(model: type[M], data: Any, at: Path = ()) -> M:
    """Validate `data` as `model`; `at` is its path in the body. Raises JobRefused."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        rows = error.errors(include_url=False, include_input=False)
        raise refusal(_fault(model, row, at) for row in rows) from None


def refusal(faults: Iterable[Fault]) -> JobRefused:
    """Make the error that lists these faults."""
    rows = list(islice(faults, MOST_FAULTS))
    places = " and ".join(row.pointer or "the body" for row in rows[:3]) + (" and more" if len(rows) > 3 else "")
    return JobRefused(f"Nothing was stored: correct {places}, then send it again.", errors=[dict(row) for row in rows])


def pointer(*path: str | int) -> str:
    """Write a path in the body as a JSON Pointer (RFC 6901)."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return "".join(f"/{step}" for step in steps)[:MOST_CHARACTERS]


def _fault(model: type[BaseModel], row: ErrorDetails, at: Path) -> Fault:
    """Describe one row of a pydantic error in a sentence for the client."""
    kind = row["type"]
    if kind == "extra_forbidden":
        detail = f"is not a known field; known fields are {', '.join(_model_at(model, row['loc']).model_fields)}"
    elif kind in FAULT_SENTENCES:
        detail = FAULT_SENTENCES[kind](row.get("ctx", {}))
    else:
        detail = row["msg"].removeprefix("Value error, ")
    return Fault(pointer=pointer(*at, *row["loc"]), detail=detail)


def _model_at(model: type[BaseModel], place: Path) -> type[BaseModel]:
    """Return the model of the object that contains the field at this path."""
    for step in place[:-1]:
        kind = model.model_fields[str(step)].annotation
        model = next(part for part in (kind, *get_args(kind)) if isinstance(part, type) and issubclass(part, BaseModel))
    return model


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
