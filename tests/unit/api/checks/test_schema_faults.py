"""Arguments and their JSON Schema: the verdicts are another validator's, places are exact, and the work is bounded."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from api.checks.json_schema import compiled
from api.checks.schema_faults import FaultFinder
from api.http.body import MOST_FAULTS, pointer

NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.integers(),
    st.sampled_from([2**53, 2**53 + 1, 10**18, 10**18 + 1, -(10**18) - 1, 10**400]),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=6,
)
BOUNDS = st.one_of(st.integers(-2, 5), st.sampled_from([0.5, 2**53, 10**18, -(10**18)]))
SIZES = st.integers(0, 3)

PET = {
    "oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}],
    "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/$defs/Cat", "dog": "#/$defs/Dog"}},
    "$defs": {
        "Cat": {"properties": {"kind": {"const": "cat"}, "lives": {"maximum": 9}}, "required": ["kind"]},
        "Dog": {"properties": {"kind": {"const": "dog"}}, "required": ["kind", "name"]},
    },
}
"""A union as pydantic writes it, whose forms are told apart by a field."""


def some_of(**keywords):
    return st.fixed_dictionaries({}, optional=keywords)


LEAVES = st.one_of(
    st.just({}),
    st.sampled_from([{"type": "null"}, {"type": "boolean"}, {"type": "string", "enum": ["a", "b"]}, {"const": 1}]),
    st.sampled_from([{"type": ["string", "null"]}, {"not": {"type": "string"}}, {"pattern": "^a"}, {"format": "date"}]),
    some_of(minLength=SIZES, maxLength=SIZES, description=st.just("d")).map(lambda rest: {"type": "string", **rest}),
    some_of(minimum=BOUNDS, maximum=BOUNDS, exclusiveMinimum=BOUNDS, exclusiveMaximum=BOUNDS).flatmap(
        lambda rest: st.sampled_from(["integer", "number"]).map(lambda name: {"type": name, **rest})
    ),
)


def objects(parts):
    return st.builds(
        lambda properties, required, others: {
            "type": "object",
            "properties": properties,
            "required": required,
            **({} if others is None else {"additionalProperties": others}),
        },
        st.dictionaries(st.sampled_from("abc"), parts, max_size=3),
        st.lists(st.sampled_from("abc"), unique=True),
        st.one_of(st.none(), st.booleans(), parts),
    )


SCHEMAS = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        objects(parts),
        st.builds(
            lambda keyword, forms: {keyword: forms},
            st.sampled_from(["anyOf", "oneOf", "allOf"]),
            st.lists(parts, min_size=1, max_size=3),
        ),
        st.builds(lambda *three: dict(zip(("if", "then", "else"), three, strict=True)), parts, parts, parts),
        parts.map(lambda part: {"patternProperties": {"^[ab]": part}, "additionalProperties": False}),
        parts.map(lambda part: {"prefixItems": [part], "items": {"type": "integer"}}),
        parts.map(lambda part: {"contains": part, "minContains": 2}),
        st.builds(lambda items, rest: {"type": "array", "items": items, **rest}, parts, some_of(maxItems=SIZES)),
        st.just({"$ref": "#/$defs/Part"}),
    ),
    max_leaves=6,
)


def faults(schema, value, at=()):
    return {fault.pointer: fault.detail for fault in FaultFinder(schema).faults(value, at)}


def places(errors):
    """Return the places of another validator's errors; a missing or unknown field counts as a place of its own."""
    for error in errors:
        path = list(error.absolute_path)
        if error.validator == "required":
            yield from (pointer(*path, name) for name in error.validator_value if name not in error.instance)
        elif error.validator == "additionalProperties":
            known, patterns = error.schema.get("properties", {}), error.schema.get("patternProperties")
            yield from (
                pointer(*path, name)
                for name in error.instance
                if name not in known and not (patterns and name.startswith(("a", "b")))
            )
        elif error.validator == "anyOf" and error.validator_value[1:] == [{"type": "null"}]:
            first = [inner for inner in error.context if inner.schema_path[0] == 0]
            yield from places(first)
        else:
            yield pointer(*path)


@settings(max_examples=400, deadline=None)
@given(schema=SCHEMAS, part=LEAVES, value=VALUES)
def test_verdicts_and_places_are_those_of_jsonschema(schema, part, value):
    whole = {**schema, "$defs": {"Part": part}}
    other = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)

    assert compiled(whole).is_valid(value) is other.is_valid(value)
    assert set(faults(whole, value)) == set(places(other.iter_errors(value)))


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "null"}}}, 1, {"": "must be of type null"}),
        ({"properties": {"a": {"$ref": "#"}}, "type": "object"}, {"a": {"a": 1}}, {"/a/a": "must be of type object"}),
        ({"properties": {"a": False}}, {"a": 1}, {"/a": "is not allowed"}),
        ({"prefixItems": [{}], "items": False}, [1, 2], {"/1": "is not allowed"}),
        ({"if": {"minimum": 5}, "then": {"maximum": 8}}, 9, {"": "must be at most 8"}),
        ({"if": {"minimum": 5}, "else": {"maximum": 3}}, 4, {"": "must be at most 3"}),
        ({"not": {}}, 1, {"": "does not fit the operation's schema (not)"}),
        ({"contains": {"type": "null"}}, [1], {"": "does not fit the operation's schema (contains)"}),
        ({"contains": {}, "maxContains": 1}, [1, 2], {"": "does not fit the operation's schema (contains)"}),
        ({"contains": {}, "minContains": 0}, [], {}),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, {"": "does not fit the operation's schema (propertyNames)"}),
        (
            {"dependentRequired": {"a": ["b"]}},
            {"a": 1},
            {"": "does not fit the operation's schema (dependentRequired)"},
        ),
        ({"unevaluatedProperties": False}, {"a": 1}, {"": "does not fit the operation's schema"}),
        ({"anyOf": [{"$ref": "#/items"}], "items": {"type": "null"}}, 1, {"": "does not fit the operation's schema"}),
        (
            {"$anchor": "here", "items": {"$ref": "#here"}, "type": "array"},
            [[1]],
            {"/0": "does not fit the operation's schema"},
        ),
        ({"multipleOf": 3}, 10**400, {"": "must be a multiple of 3"}),
        ({"maximum": 2**53}, 2**53 + 1, {"": f"must be at most {2**53}"}),
        ({"type": "integer"}, 100.0, {}),
        ({"type": "integer"}, 100.5, {"": "must be of type integer"}),
        ({"enum": [0, "a"]}, False, {"": 'must be one of [0, "a"]'}),
        ({"minItems": 1}, [], {"": "must have at least 1 item"}),
        ({"maxLength": 2}, "abc", {"": "must have at most 2 characters"}),
        ({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]}, -1, {"": "must be at least 0"}),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, [], {"": "fits none of the forms it may have"}),
        (PET, {"kind": "cat", "lives": 10}, {"/lives": "must be at most 9"}),
        (PET, {"kind": "dog"}, {"/name": "is missing; it is required"}),
        (PET, {"kind": "cow"}, {"/kind": 'must be one of ["cat", "dog"]'}),
        (PET, {"kind": None}, {"/kind": 'must be one of ["cat", "dog"]'}),
        (PET, {}, {"/kind": "is missing; it is required"}),
        (PET, {"kind": "cat"}, {}),
        (PET, [], {"": "must fit exactly one of the forms it may have"}),
    ],
)
def test_each_fault_is_reported_at_its_place(schema, value, expected):
    assert faults(schema, value) == expected


@pytest.mark.parametrize(
    ("name", "fits", "wrong"),
    [
        ("date", "2026-11-30", "2026-11-31"),
        ("email", "jörg@example.com", "nobody"),
        ("ipv4", "127.0.0.1", "127.0.0.256"),
        ("ipv6", "::1", "::g"),
        ("uuid", "0190c0de-0000-7000-8000-000000000000", "0190c0de"),
        ("regex", "^a$", "("),
        ("date-time", "2026-11-30T12:00:00", None),
        ("uri", "http://exämple.com", None),
        ("hostname", "my_host", None),
        ("of-our-own", "x", None),
    ],
)
def test_formats_are_asserted_where_every_value_that_an_operation_accepts_fits(name, fits, wrong):
    assert faults({"format": name}, fits) == {}
    assert wrong is None or faults({"format": name}, wrong) == {"": f"must be a valid {name}"}


OPTIONAL_TEXTS = {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]}
NESTED = {
    "$ref": "#/$defs/Node",
    "$defs": {"Node": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/$defs/Node"}}]}},
}


def nested(value, levels):
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": r"^(\w+\s?)+$"}, "a" * 36 + "!"),
        ({"pattern": r"^(a|a)*$"}, "a" * 500_000 + "!"),
        ({"uniqueItems": True}, [*(f"text {n}" for n in range(100_000)), 5, 5]),
        ({"items": {"type": "string"}}, list(range(200_000))),
        ({"items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, list(range(200_000))),
        (OPTIONAL_TEXTS, list(range(200_000))),
        (NESTED, nested(list(range(200_000)), 20)),
        (NESTED, nested([*["a"] * 200_000, 5], 20)),
        ({"additionalProperties": False}, {f"{n}": n for n in range(100_000)}),
    ],
    ids=["pattern", "alternatives", "unique", "flat", "forms", "optional", "nested", "last", "unknown"],
)
def test_a_hostile_value_is_refused_at_once(schema, value):
    finder, began = FaultFinder(schema), time.monotonic()

    found = [fault for fault, _ in zip(finder.faults(value, ("arguments",)), range(MOST_FAULTS), strict=False)]

    assert time.monotonic() - began < 3  # the library's own list of errors took up to 20 seconds and 2 GB
    assert found
    assert all(len(fault.detail) < 500 for fault in found)


def test_a_hundred_thousand_texts_with_a_number_among_them_are_found_unique_at_once():
    began = time.monotonic()

    assert compiled({"uniqueItems": True}).is_valid([*(f"text {n}" for n in range(100_000)), 5])

    assert time.monotonic() - began < 3
