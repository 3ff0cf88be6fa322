"""Indented JSON: a line for each member, and no more time or room than that takes."""

import json
from time import process_time

import pytest

from errand.presenting.json_layout import WIDTH, indented


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        ('{"a":1,"b":[]}', ["{", '  "a": 1,', '  "b": []', "}"]),
        ('[{"a":[{}]},[]]', ["[", "  {", '    "a": [', "      {}", "    ]", "  },", "  []", "]"]),
        ('{"a":"x, {y}: [z] \\" \\\\"}', ["{", '  "a": "x, {y}: [z] \\" \\\\"', "}"]),
        ('{"a":[1.10,-2e5,true,null]}', ["{", '  "a": [1.10, -2e5, true, null]', "}"]),
        ('{"a":"cut he', ["{", '  "a": "cut he']),
        ('{"a":[1,2', ["{", '  "a": [1, 2']),
        ("]}", ["", "]", "}"]),
    ],
)
def test_json_is_indented_line_by_line(document, lines):
    assert indented(document).split("\n") == lines


def test_a_list_of_numbers_fills_lines():
    text = indented(json.dumps({"n": list(range(200))}, separators=(",", ":")))

    assert len(text.splitlines()) < 20
    assert max(map(len, text.splitlines())) <= WIDTH
    assert json.loads(text) == {"n": list(range(200))}


@pytest.mark.parametrize("document", ["[" * 10_000, "[1," * 3_000, '"' + '\\"' * 5_000, "{" * 5_000 + "}" * 5_000])
def test_odd_json_takes_little_time_and_room(document):
    started = process_time()

    assert len(indented(document)) < 500_000

    assert process_time() - started < 1


def test_indenting_changes_no_digit_and_no_text():
    document = '{"a":{"b":1.50,"c":[1,2,3]},"d":["x, y: {z}",{}],"e":12345678901234567890.0}'

    text = indented(document)

    assert text.splitlines()[:3] == ["{", '  "a": {', '    "b": 1.50,']
    assert json.loads(text) == json.loads(document)
    assert "12345678901234567890.0" in text


def test_json_that_is_cut_off_is_indented_as_far_as_it_goes():
    for end in range(60):
        indented('{"a":{"b":[1,2,{"c":"d\\"e"}],"f":null}}'[:end])
    assert len(indented("[" * 10_000)) < 400_000
