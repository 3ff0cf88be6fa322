"""Checks a job's arguments against the JSON Schema of its operation, and writes them as the text that is stored.

Every job passes here except those of `POST /compute`. Next: `json_schema.py`, which compiles that schema.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jsonschema_rs import Validator

from api.checks.json_schema import Schema, asserted, compiled
from api.checks.schema_faults import FaultFinder
from api.http.body import pointer, refusal
from api.http.json_text import Path
from schemas.operations import Operation
from schemas.problems import Fault

_WRITER: Final = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class PublishedOperation:
    """An operation of the catalogue with the check of its arguments."""

    operation: Operation
    schema: Schema
    validator: Validator


def check_arguments(operation_text: str, arguments: dict[str, Any], at: Path = ("arguments",)) -> tuple[Operation, str]:
    """Return the operation, and the arguments as JSON text. Raises JobRefused if they do not match its schema.

    `at`: the path of the arguments in the body.
    """
    known = published(operation_text)
    try:
        text = _WRITER.encode(arguments)
        if not known.validator.is_valid(arguments):
            raise refusal(fault_finder(operation_text).faults(arguments, at))
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
    operation = Operation.model_validate_json(operation_text)
    schema = asserted(operation.arguments)
    return PublishedOperation(operation, schema, compiled(schema))


@lru_cache(maxsize=256)
def fault_finder(operation_text: str) -> FaultFinder:
    """Prepare the search for faults, which only refused arguments need."""
    return FaultFinder(published(operation_text).schema)
