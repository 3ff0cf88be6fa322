"""A core schema with the meaning of JSON."""

import enum

import pytest
from pydantic import BaseModel, ValidationError

from schemas.arguments.verdict import Verdict, verdict, whole


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (100.0, 100),
        (-0.0, 0),
        (1e23, 10**23),
        (float(2**60), 1152921504606847000),
        (1.5, 1.5),
        (True, True),
        ("1.0", "1.0"),
        (5, 5),
    ],
)
def test_a_whole_float_is_the_number_that_its_shortest_form_says(value, expected):
    assert (whole(value), type(whole(value))) == (expected, type(expected))


@pytest.mark.parametrize(
    ("schema", "fitting", "wrong"),
    [
        ({"type": "int"}, ["1", "1.0", "1e3"], ["1.5", "true", '"1"']),
        ({"type": "float"}, ["1", "1e308"], ["1e400", "1" + "0" * 400, "NaN"]),
        ({"type": "float", "le": 1e18}, ["1" + "0" * 18], ["1" + "0" * 17 + "1"]),
        ({"type": "literal", "expected": [1, "a"]}, ["1", "1.0", '"a"'], ["true", '"1"', "[]"]),
        ({"type": "literal", "expected": [True]}, ["true"], ["1", "1.0"]),
        ({"type": "datetime", "ge": "2026-01-01T00:00:00"}, ['"2026-01-01T00:00:00"'], ['"2025-12-31T00:00:00"']),
        ({"type": "decimal", "multiple_of": "0.01"}, ['"0.10"', "5"], ['"0.001"', "true"]),
        (
            {"type": "dict", "keys_schema": {"type": "int"}, "values_schema": {"type": "any"}},
            ['{"1": []}'],
            ['{"a": 1}'],
        ),
    ],
)
def test_json_means_what_json_schema_says(schema, fitting, wrong):
    check = verdict(schema)

    for text in fitting:
        check.read(text)
    for text in wrong:
        with pytest.raises(ValidationError):
            check.read(text)


def test_a_class_is_built_with_the_meaning_of_json_and_stays_as_it_was():
    class Inner(BaseModel):
        n: int

    class Outer(BaseModel):
        inner: Inner

    found = Verdict(dict(Outer.__pydantic_core_schema__)).read('{"inner": {"n": 2.0}}')

    assert found == Outer(inner=Inner(n=2))
    assert Outer.__pydantic_complete__
    assert Inner.__pydantic_complete__


def test_a_choice_of_values_gives_the_member():
    class Level(enum.IntEnum):
        LOW = 1

    check = Verdict({"type": "enum", "cls": Level, "members": list(Level)})

    assert check.read("1.0") is Level.LOW
