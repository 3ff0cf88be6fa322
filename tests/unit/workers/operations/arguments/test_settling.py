"""The API and the worker take the same arguments, whatever their types; a type that can't be checked is refused."""

import enum
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasPath,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    FilePath,
    FutureDate,
    Tag,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from api.checks.arguments import check_arguments
from api.http.json_text import parse_json
from errand.errors import JobRefused, SettingsRefused
from schemas.operations import Operation
from tests.support.argument_types import AT_EDGES, BOUNDED, PLAIN, TYPES, VALUES, Colour, Level, Point, Unit
from workers.operations.signature import Arguments, arguments_of


def taking(kind: Any) -> Arguments:
    """Return the arguments of an operation with one parameter of this type."""

    def some(value: Any) -> None:
        """Take a value."""

    some.__annotations__ = {"value": kind, "return": None}
    return arguments_of(some)


def published(takes: Arguments) -> str:
    return Operation(name="some", arguments=takes.schema).model_dump_json()


def by_api(operation: str, value: str) -> tuple[str | None, str]:
    """Return the API's sentence about a value, in JSON, or None if it takes it; and the text that it stores."""
    text = f'{{"value": {value}}}'
    try:
        return None, check_arguments(operation, parse_json(text))[1]
    except JobRefused as refused:
        return "; ".join(f"{fault['pointer']} {fault['detail']}" for fault in refused.fields["errors"]), text


def by_worker(takes: Arguments, text: str) -> str | None:
    """Return why the worker refuses the arguments, or None."""
    try:
        takes.read(text)
    except ValidationError as refused:
        return str(refused)
    return None


@pytest.mark.parametrize("kind", PLAIN, ids=str)
def test_api_and_worker_take_the_same_values_of_each_type(kind):
    assert agree(taking(kind), AT_EDGES) is None


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=BOUNDED)
def test_api_and_worker_take_the_same_values_within_bounds(kind):
    check(kind, AT_EDGES)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=TYPES, values=st.lists(VALUES, min_size=5, max_size=20))
def test_api_and_worker_take_the_same_values_of_types_made_of_others(kind, values):
    check(kind, [*AT_EDGES, *values])


def check(kind: Any, values: Iterable[Any]) -> None:
    """Check that both take the same values, or that the type is refused."""
    try:
        takes = taking(kind)
    except SettingsRefused as refused:
        reason = str(refused)
    else:
        reason = agree(takes, values)
    assert reason is None or re.search(r"the API can't check|does not apply to", reason), f"{kind}: {reason}"


def agree(takes: Arguments, values: Iterable[Any]) -> str | None:
    """Return the first difference between the API and the worker, or None."""
    operation = published(takes)
    for value in values:
        api, text = by_api(operation, json.dumps(value))
        worker = by_worker(takes, text)
        if (api is None) is not (worker is None):
            return f"{value!r}: API: {api}; worker: {worker}"
    return None


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, "100.0", 100),
        (int, "1e3", 1000),
        (int, "-0.0", 0),
        (int, "1e22", 10**22),
        (int, "1e23", 10**23),
        (int, str(2**64 + 1), 2**64 + 1),
        (list[int], "[1, 2.0]", [1, 2]),
        (Annotated[int, Field(multiple_of=3, le=2**60)], "3e10", 3 * 10**10),
        (Annotated[int, Field(le=2**60)], str(float(2**59)), int(Decimal(repr(float(2**59))))),
        (Annotated[float, Field(le=2**60)], str(float(2**60)), float(2**60)),
        (Annotated[float, Field(multiple_of=0.01)], "19.99", 19.99),
        (Annotated[float, Field(multiple_of=0.1)], "0.3", 0.3),
        (Literal[1, "a"], "1.0", 1),
        (Level, "1.0", Level.LOW),
        (Colour, "1", Colour.ONE),
        (Colour, "1.5", Colour.HALF),
        (datetime, '"2026-11-30T12:00:00"', datetime.fromisoformat("2026-11-30T12:00:00")),
        (timedelta, '"PT90S"', timedelta(seconds=90)),
        (Decimal, '"0.10"', Decimal("0.10")),
        (Decimal, "10", Decimal(10)),
        (tuple[int, str], '[1, "a"]', (1, "a")),
        (set[int], "[1, 1.0, 2]", {1, 2}),
        (dict[int, Unit], '{"7": "cm"}', {7: Unit.CM}),
        (Annotated[str, Field(pattern=r"^\p{L}+$")], '"Übung"', "Übung"),
        (Annotated[str, Field(pattern=re.compile("^a"))], '"ab"', "ab"),
        (Point, '{"x": 2.0, "why": 3}', Point(x=2, why=3)),
    ],
)
def test_a_value_reaches_the_operation_as_its_type(kind, text, value):
    takes = taking(kind)

    refused, stored = by_api(published(takes), text)

    found = takes.read(stored)["value"]
    assert refused is None
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        (int, "100.5", "/arguments/value must be of type integer"),
        (int, '"3"', "/arguments/value must be of type integer"),
        (Point, '{"x": "3"}', "/arguments/value/x must be of type integer"),
        (float, "1" + "0" * 400, "/arguments/value must be less than 1.7976931348623158e+308"),
        (float, "1e400", "/arguments has a number that is out of range"),
        (Annotated[float, Field(multiple_of=0.01)], "19.991", "/arguments/value must be a multiple of 0.01"),
        (Annotated[str, Field(pattern=r"^\p{L}+$")], '"a1"', r'/arguments/value must match "^\\p{L}+$"'),
        (Annotated[str, Field(pattern="^a$")], '"a\\n"', '/arguments/value must match "^a$"'),
        (date, '"2026-11-31"', "/arguments/value must be a valid date in the format YYYY-MM-DD, "),
        (datetime, '"soon"', "/arguments/value must be a valid datetime"),
        (timedelta, "90", "/arguments/value must be a valid duration"),
        (AnyUrl, '"example.com"', "/arguments/value must be a valid URL, relative URL without a base"),
        (Decimal, '"one"', "/arguments/value must be a valid decimal"),
        (Annotated[Decimal, Field(max_digits=3)], "1234", "/arguments/value must have no more than 3 digits in total"),
        (list[date], '["2026-11-30", 5]', "/arguments/value/1 must be a valid date"),
        (dict[int, int], '{"a": 1}', "/arguments/value/a must be a valid integer"),
        (Annotated[set[int], Field(min_length=2)], "[1, 1.0]", "/arguments/value must have at least 2 different items"),
        (Annotated[date, Field(ge=date(2026, 1, 1))], '"2025-01-01"', "/arguments/value must be greater than or equal"),
        (date | None, '"x"', "/arguments/value must be a valid date"),
        (date | int, '"x"', "/arguments/value fits none of the forms it may have"),
        (Unit, '"m"', '/arguments/value must be one of ["cm"]'),
    ],
)
def test_a_client_is_told_what_a_value_must_be(kind, text, sentence):
    refused, text = by_api(published(taking(kind)), text)

    assert refused is not None
    assert refused.startswith(sentence)
    assert by_worker(taking(kind), text)


class Checked(BaseModel):
    x: int

    @field_validator("x")
    @classmethod
    def even(cls, value: int) -> int:
        return value


class Ordered(BaseModel):
    x: int

    @model_validator(mode="after")
    def in_order(self) -> "Ordered":
        return self


class Prepared(BaseModel):
    x: int

    def model_post_init(self, context: Any) -> None:
        """Run code."""


@dataclass
class Made:
    x: int

    def __post_init__(self) -> None:
        """Run code."""


class Hex(BaseModel):
    model_config = ConfigDict(val_json_bytes="hex")
    x: bytes


class Backtracking(BaseModel):
    model_config = ConfigDict(regex_engine="python-re")
    x: Annotated[str, Field(pattern="(?=a)b")]


class Nested(BaseModel):
    x: Annotated[int, Field(validation_alias=AliasPath("y", 0))]


class Dotted(enum.Enum):
    PAIR = (1, 2)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (Annotated[str, Field(pattern="(?=a)b")], "can't be matched in linear time (look-around"),
        (Annotated[str, Field(pattern=re.compile("a", re.IGNORECASE))], "with flags; write them into the pattern"),
        (Annotated[str, WithJsonSchema({"type": "string", "pattern": r"(a)\1"})], "matched in linear time"),
        (Backtracking, "can't be matched in linear time (look-around"),
        (Annotated[int, AfterValidator(abs)], "is checked by `abs`, which the API can't call; check it inside"),
        (list[Checked], "is checked by `Checked.even`"),
        (Ordered | None, "is checked by `Ordered.in_order`"),
        (Prepared, "runs `Prepared.model_post_init`"),
        (Made, "runs `Made.__post_init__`"),
        (FutureDate, "must be in the future, and may be in the past when the job runs"),
        (FilePath, "is checked by `PathType.validate_file`"),
        (Hex, "is in a model with the setting `val_json_bytes`"),
        (Nested, "is read from inside another (`AliasPath`)"),
        (complex, "is a `complex`, which the API can't check"),
        (Fraction, "is a `fraction`, which the API can't check"),
        (type[int], "is an `is-subclass`, which the API can't check"),
        (Annotated[set[tuple[Point, int]], Field(min_length=2)], "whose keys or size the API can't check"),
        (Annotated[int | bytes, Field(ge=1)], "has the bound `ge=1`, which does not apply to a `bytes`"),
        (
            Annotated[
                Annotated[int, Tag("a")] | Annotated[str, Tag("b")],
                Discriminator(lambda value: "a" if isinstance(value, int) else "b"),
            ],
            "told apart by a function",
        ),
    ],
)
def test_a_type_that_the_api_can_not_check_is_refused_with_the_name_of_its_parameter(kind, sentence):
    with pytest.raises(SettingsRefused) as refused:
        taking(kind)

    assert str(refused.value).startswith("The operation 'some' can't be offered: the parameter 'value' ")
    assert sentence in str(refused.value)


def test_a_check_of_ones_own_with_a_stated_schema_is_offered():
    takes = taking(Annotated[int, AfterValidator(abs), WithJsonSchema({"type": "integer", "minimum": -9})])

    assert by_api(published(takes), "-10")[0] == "/arguments/value must be at least -9"
    assert takes.read('{"value": -9}') == {"value": 9}


def test_a_class_is_as_before_after_it_was_a_parameter():
    taking(Point)

    assert Point.model_validate({"x": "3"}).x == 3
    with pytest.raises(ValidationError):
        Point.model_validate({"x": "three"})
