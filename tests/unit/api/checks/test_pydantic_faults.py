"""What pydantic finds wrong, in our sentences and at once, however many items are wrong."""

import time
from typing import Any

import pytest

from api.checks.pydantic_faults import pydantic_faults
from api.http.body import MOST_FAULTS

UNION = {"type": "union", "choices": [{"type": "int"}, {"type": "date"}]}
INTS = {"type": "set", "items_schema": UNION, "max_length": 1_000_000, "fail_fast": True}
KEYS = {"type": "dict", "keys_schema": {"type": "date"}, "values_schema": {"type": "any"}, "min_length": 2}
NEITHER = "must be a whole number, without quotes, or must be a valid date in the format YYYY-MM-DD, input is too short"


def faults(schema: dict[str, Any], value: object) -> dict[str, str]:
    return {fault.pointer: fault.detail for fault in pydantic_faults(schema, value, ("a",))}


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "date"}, "2026-11-30", {}),
        ({"type": "str", "pattern": "^a$"}, "b", {"/a": 'must match "^a$"'}),
        ({"type": "str", "max_length": 2, "strip_whitespace": True}, " abc ", {"/a": "must have at most 2 characters"}),
        ({"type": "str", "max_length": 2, "strip_whitespace": True}, " ab ", {}),
        ({"type": "uuid"}, 5, {"/a": "must be a UUID, as a string"}),
        (
            UNION,
            "x",
            {"/a": NEITHER},
        ),
        (
            INTS,
            [1, "x"],
            {"/a/1": NEITHER},
        ),
        (KEYS, {"x": 1}, {"/a/x": "must be a valid date in the format YYYY-MM-DD, input is too short"}),
        (KEYS, {"2026-11-30": 1}, {"/a": "must have at least 2 fields"}),
        (KEYS, {"2026-11-30": 1, "2026-12-01": {}}, {}),
        (KEYS, [], {"/a": "must be a JSON object"}),
        ({"type": "named", "name": "ipv4"}, "1.2.3", {"/a": "is not valid: Expected 4 octets in '1.2.3'"}),
    ],
)
def test_each_fault_is_a_sentence_at_its_place(schema, value, expected):
    assert faults(schema, value) == expected


@pytest.mark.parametrize(
    ("schema", "value"),
    [(INTS, [[]] * 250_000), (INTS, ["a"] * 250_000), (KEYS, {f"a{n}": 1 for n in range(80_000)})],
    ids=["lists", "strings", "keys"],
)
def test_a_hostile_value_is_refused_at_once(schema, value):
    began = time.monotonic()

    found = faults(schema, value)

    assert time.monotonic() - began < 2  # with all errors at once it took up to 17 seconds and 800 MB
    assert 0 < len(found) <= MOST_FAULTS
