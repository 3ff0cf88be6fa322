"""Checks a job's arguments by the JSON Schema its operation has published, and writes them as the text that is stored.

Stands at step 1 of a job's life, for all but `POST /compute`. Next: `fast_schema.py`, which says yes faster.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import SchemaValidator

from api.checks.fast_schema import quick_validator
from api.http.body import MOST_CHARACTERS, MOST_FAULTS, Path, pointer, refusal
from schemas.operations import Operation
from schemas.problems import Fault

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

_WRITER: Final = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"))

SENTENCES: Final[dict[str, Callable[[Any], str]]] = {
    "type": lambda types: f"must be of type {types if isinstance(types, str) else ' or '.join(types)}",
    "enum": lambda values: f"must be one of {_short(values)}",
    "const": lambda value: f"must be {_short(value)}",
    "minimum": lambda least: f"must be at least {least}",
    "maximum": lambda most: f"must be at most {most}",
    "exclusiveMinimum": lambda bound: f"must be more than {bound}",
    "exclusiveMaximum": lambda bound: f"must be less than {bound}",
    "multipleOf": lambda step: f"must be a multiple of {step}",
    "minLength": lambda least: f"must have at least {least} characters",
    "maxLength": lambda most: f"must have at most {most} characters",
    "pattern": lambda regex: f"must match {_short(regex)}",
    "format": lambda name: f"must be a valid {name}",
    "minItems": lambda least: f"must have at least {least} items",
    "maxItems": lambda most: f"must have at most {most} items",
    "uniqueItems": lambda _: "must not have an item twice",
    "minProperties": lambda least: f"must have at least {least} fields",
    "maxProperties": lambda most: f"must have at most {most} fields",
    "anyOf": lambda _: "fits none of the forms it may have",
    "oneOf": lambda _: "must fit exactly one of the forms it may have",
}
"""Keyword of JSON Schema to the sentence that says what to do. jsonschema's own sentences repeat the whole value."""


@dataclass(frozen=True, slots=True)
class PublishedOperation:
    """An operation of the catalogue with the two checks of its arguments."""

    operation: Operation
    quick: SchemaValidator | None
    validator: "Validator"


def checked(operation_text: str, arguments: dict[str, Any], at: Path = ("arguments",)) -> tuple[Operation, str]:
    """Give the operation and the arguments as JSON text; refuse the job where they don't fit its schema.

    `at`: where in the body the arguments stand.
    """
    known = published(operation_text)
    try:
        text = _WRITER.encode(arguments)
        if known.quick is None or not known.quick.isinstance_python(arguments):
            _refuse_faults(known.validator, arguments, at)
    except (ValueError, OverflowError):
        raise refusal([Fault(pointer=pointer(*at), detail="has a number that is out of range")]) from None
    except RecursionError:
        raise refusal([Fault(pointer=pointer(*at), detail="is nested too deeply")]) from None
    return known.operation, text


@lru_cache(maxsize=256)
def published(operation_text: str) -> PublishedOperation:
    """Read a published operation and prepare the check of its arguments, once for each text.

    Raises ValueError when it can't be read.
    """
    from jsonschema import Draft202012Validator  # only who posts to /jobs pays for it
    from jsonschema.exceptions import SchemaError
    from referencing import Registry

    operation = Operation.model_validate_json(operation_text)
    # An empty registry: without it, jsonschema fetches a `$ref` to another host over the network.
    checker = Draft202012Validator.FORMAT_CHECKER
    try:
        Draft202012Validator.check_schema(operation.arguments)
    except SchemaError as fault:
        raise ValueError(f"{operation.name}: not a JSON Schema: {fault.message}") from None
    validator = Draft202012Validator(operation.arguments, registry=Registry(), format_checker=checker)
    return PublishedOperation(operation, quick_validator(operation.arguments), validator)


def _refuse_faults(validator: "Validator", arguments: dict[str, Any], at: Path) -> None:
    told = (fault for error in validator.iter_errors(arguments) for fault in _faults(error, at))
    if faults := list(islice(told, MOST_FAULTS)):
        raise refusal(faults)


def _faults(error: "ValidationError", at: Path) -> Iterator[Fault]:
    """Say in a sentence what an error means; a missing or unknown field is told at its own place."""
    path = (*at, *error.absolute_path)
    match error.validator:
        case "required":
            # one error for each field that is missing, and only its sentence names it
            name = next(name for name in error.validator_value if error.message.startswith(repr(name)))
            yield Fault(pointer=pointer(*path, name), detail="is missing; it is required")
        case "additionalProperties" if error.validator_value is False:
            known = list(error.schema.get("properties", {}))
            told = f"is not a known field; known are {', '.join(known) or 'none'}"
            yield from (
                Fault(pointer=pointer(*path, name), detail=told) for name in error.instance if name not in known
            )
        case keyword:
            say = SENTENCES.get(str(keyword), lambda _: f"does not fit the operation's schema ({keyword})")
            yield Fault(pointer=pointer(*path), detail=say(error.validator_value))


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)[:MOST_CHARACTERS]
