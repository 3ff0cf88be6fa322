"""Values made from a schema, for operations without an example."""

import pytest

from api.docs.examples import sample_of

NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}, "required": ["next"]}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "text"),
        ({"type": "integer", "minimum": 5}, 5),
        ({"enum": ["a", "b"]}, "a"),
        ({"examples": ["e"], "type": "string"}, "e"),
        ({"const": None}, None),
        ({"default": False, "type": "boolean"}, False),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text"),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"type": "array"}}}, []),
        ({"type": "object", "properties": {"a": {"type": "null"}, "b": {}}, "required": ["a"]}, {"a": None}),
        ({"type": "object", "properties": {"a": True}, "required": ["a", "c"]}, {"a": 1, "c": 1}),
        ({}, 1),
    ],
)
def test_a_value_is_made_from_a_schema(schema, value):
    assert sample_of(schema) == value


def test_a_schema_that_refers_to_itself_comes_to_an_end():
    assert "next" in sample_of(NODE | {"$defs": {"Node": NODE}})
