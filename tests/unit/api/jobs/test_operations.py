"""The catalogue over HTTP, and the quick check of arguments, which never allows what their JSON Schema forbids."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from api.checks.fast_schema import quick_validator
from schemas.operations import Operation, Operations
from tests.support.api import ADD

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


def some_of(**keywords):
    return st.fixed_dictionaries({}, optional=keywords)


LEAVES = st.one_of(
    st.just({}),
    st.sampled_from([{"type": "null"}, {"type": "boolean"}, {"type": "string", "enum": ["a", "b"]}, {"const": 1}]),
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
            "required": [name for name in required if name in properties],
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
        st.lists(parts, min_size=1, max_size=3).map(lambda forms: {"anyOf": forms}),
        st.builds(lambda items, rest: {"type": "array", "items": items, **rest}, parts, some_of(maxItems=SIZES)),
        st.just({"$ref": "#/$defs/Part"}),
    ),
    max_leaves=6,
)


def test_the_catalogue_is_shown_by_name_as_the_workers_described_it(client):
    answer = client.get("/operations")

    [add, anything, tree] = Operations.model_validate(answer.json).operations
    assert add == Operation.model_validate(ADD)
    assert (anything.name, anything.service, tree.name) == ("anything", "heavy", "tree")
    assert client.get("/operations/add").json == answer.json["operations"][0]


@pytest.mark.parametrize("path", ["/operations", "/operations/add", "/apispec.json"])
def test_an_unchanged_catalogue_costs_a_304(client, api_store, path):
    etag = client.get(path).headers["ETag"]

    again = client.get(path, headers={"If-None-Match": etag})
    api_store.show({**ADD, "summary": "Adds."})

    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
    assert "Content-Type" not in again.headers


def test_without_workers_the_catalogue_is_empty(client, api_store):
    api_store.withdraw_all()

    assert client.get("/operations").json == {"operations": []}
    assert client.get("/operations/add").status_code == 404


def test_while_the_store_is_away_there_is_no_catalogue(client, api_store):
    api_store.go_away()

    assert [client.get(path).status_code for path in ("/operations", "/operations/add")] == [503, 503]


@settings(max_examples=300, deadline=None)
@given(schema=SCHEMAS, part=LEAVES, value=VALUES)
def test_what_the_quick_check_allows_fits_the_schema(schema, part, value):
    whole = {**schema, "$defs": {"Part": part}}

    quick = quick_validator(whole)

    if quick is not None and quick.isinstance_python(value):
        assert Draft202012Validator(whole).is_valid(value)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (ADD["arguments"], {"value": 1, "other": 2, "notes": ["a", "bcd"]}),
        ({"type": "number", "minimum": -(10**18), "maximum": 10**18}, 30),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}),
        (
            {
                "$ref": "#/$defs/Tree",
                "$defs": {"Tree": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Tree"}}},
            },
            {"a": {"b": {}}},
        ),
    ],
    ids=json.dumps,
)
def test_the_quick_check_allows_what_is_usual(schema, value):
    quick = quick_validator(schema)

    assert quick is not None
    assert quick.isinstance_python(value)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^a$"},
        {"type": "string", "format": "date"},
        {"type": "array", "uniqueItems": True},
        {"type": "object", "required": ["a"]},
        {"type": ["string", "null"]},
        {"not": {}},
        {"$ref": "https://example.com/schema"},
        True,
    ],
    ids=json.dumps,
)
def test_what_can_not_be_said_to_the_core_exactly_is_left_to_jsonschema(schema):
    assert quick_validator({"type": "object", "properties": {"a": schema}}) is None
