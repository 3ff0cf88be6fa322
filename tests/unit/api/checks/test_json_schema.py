"""Schemas as they are checked: `x-pydantic` decides alone, and a far bound costs only numbers that are far."""

import time

import pytest

from api.checks.json_schema import asserted, compiled

LARGEST = 2**1024 - 2**970 - 1  # the largest whole number that a float is rounded to


def test_x_pydantic_decides_alone_wherever_it_stands():
    part = {"type": "string", "pattern": "(?=x)", "maxLength": 1, "x-pydantic": {"type": "date"}}
    schema = asserted({"properties": {"a": part}, "items": {"anyOf": [part, {"type": "null"}]}, "default": part})

    assert compiled(schema).is_valid({"a": "2026-11-30"})
    assert not compiled(schema).is_valid({"a": "x"})
    assert compiled(schema).is_valid(["2026-11-30", None])
    assert schema["default"] == part


def test_a_field_may_be_called_like_the_keyword():
    check = compiled(asserted({"properties": {"x-pydantic": {"type": "integer"}, "pattern": {"type": "null"}}}))

    assert check.is_valid({"x-pydantic": 1.0, "pattern": None})
    assert not check.is_valid({"x-pydantic": "1"})


@pytest.mark.parametrize(
    ("schema", "fitting", "wrong"),
    [
        (
            {"type": "number"},
            [0, -0.0, LARGEST, -LARGEST, 1.7976931348623157e308],
            [LARGEST + 1, -LARGEST - 1, 10**400],
        ),
        ({"type": ["number", "null"], "minimum": 0}, [None, 0, LARGEST], [-1, LARGEST + 1]),
        ({"type": "number", "maximum": 1e300}, [10**300, -LARGEST, 1e300], [10**300 + 1, 1.1e300, -LARGEST - 1]),
        ({"type": "integer", "maximum": 2**64}, [2**64, 1, 2.0**53, -(10**400)], [2**64 + 1, 1e20]),
        ({"type": "integer", "exclusiveMaximum": 2**64, "minimum": 3}, [2**64 - 1, 3], [2**64, 2]),
        ({"type": "integer"}, [10**400], [0.5]),
    ],
)
def test_far_bounds_hold_as_they_are_written(schema, fitting, wrong):
    check = compiled(asserted(schema))

    assert all(map(check.is_valid, fitting))
    assert not any(map(check.is_valid, wrong))


def test_a_bound_that_is_no_number_is_an_error_of_the_schema():
    with pytest.raises(ValueError, match="can't be used"):
        compiled(asserted({"type": "number", "minimum": "0"}))


@pytest.mark.parametrize(
    "part", [{"type": "zebra"}, {"type": "named", "name": "zebra"}, {"type": "str", "pattern": "("}]
)
def test_an_x_pydantic_that_can_not_be_used_is_an_error_of_the_schema(part):
    with pytest.raises(ValueError, match="its JSON Schema can't be used"):
        compiled({"x-pydantic": part})


def test_a_bound_that_is_far_costs_near_numbers_nothing():
    check, numbers = (
        compiled(asserted({"items": {"type": "number", "maximum": 1e300}})),
        [n / 7 for n in range(100_000)],
    )
    began = time.monotonic()

    assert check.is_valid(numbers)

    assert time.monotonic() - began < 0.4  # compared with 1e300 itself, they took more than half a second
