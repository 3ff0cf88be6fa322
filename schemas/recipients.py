"""The recipients and occasions of a job's notifications: the fields `email` and `notify` of a body.

`errand/trust/recipients.py` says to which addresses an operator allows mails. Next: `requests.py`.
"""

from collections.abc import Sequence
from typing import Annotated, Final, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from schemas.address import EMAIL_PATTERN, MAX_LENGTH, as_address
from schemas.notifications import Occasion

MOST_RECIPIENTS: Final = 10
"""Maximum number of addresses of one job."""
OCCASIONS: Final[tuple[Occasion, ...]] = get_args(Occasion)

_ONE: Final = {
    "type": "string",
    "format": "idn-email",
    "maxLength": MAX_LENGTH,
    "pattern": EMAIL_PATTERN,
    "examples": ["name@email.com"],
}
_SEVERAL: Final = {
    "type": "array",
    "items": _ONE,
    "minItems": 1,
    "maxItems": MOST_RECIPIENTS,
    "uniqueItems": True,
    "examples": [["name@email.com", "other@email.com"]],
}


def _recipients(value: object) -> tuple[str, ...]:
    """Take one address, or a list of them."""
    if isinstance(value, str):
        try:
            return (as_address(value),)
        except ValueError as fault:
            raise _error(str(fault)) from None
    if not isinstance(value, list):
        raise _error(f"must be an e-mail address, or a list of up to {MOST_RECIPIENTS}")
    if not 1 <= len(value) <= MOST_RECIPIENTS:
        raise _error(f"must have 1 to {MOST_RECIPIENTS} addresses")
    return _each(value)


def _each(values: Sequence[object]) -> tuple[str, ...]:
    """Check the addresses one by one, so that each fault is reported at its own place."""
    addresses: dict[str, str] = {}
    faults: list[InitErrorDetails] = []
    for index, value in enumerate(values):
        try:
            address = as_address(value if isinstance(value, str) else "")
            if address.lower() in addresses:
                raise ValueError("is in the list already; name each address once")
            addresses[address.lower()] = address
        except ValueError as fault:
            faults.append({"type": _error(str(fault)), "loc": (index,), "input": None})
    if faults:
        raise ValidationError.from_exception_data("email", faults)
    return tuple(addresses.values())


def _error(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("email", "{sentence}", {"sentence": sentence})


def _in_order(occasions: list[Occasion]) -> list[Occasion]:
    """Sort the occasions, so that equal requests have equal bodies."""
    if len(set(occasions)) < len(occasions):
        raise PydanticCustomError("unique", "must not have a word twice")
    return sorted(occasions, key=OCCASIONS.index)


Recipients = Annotated[tuple[str, ...], PlainValidator(_recipients), WithJsonSchema({"anyOf": [_ONE, _SEVERAL]})]
"""Plain addresses, each once: a body names one by itself, or several in a list."""


class Notify(BaseModel):
    """The occasions on which a job sends notifications; all of them by default."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    on: Annotated[
        list[Occasion],
        Field(
            min_length=1,
            max_length=len(OCCASIONS),
            description="`accepted` is sent by mail only; the others, the ends of a job, by mail and webhook.",
            json_schema_extra={"uniqueItems": True},
        ),
        AfterValidator(_in_order),
    ]
