"""The examples of the catalogue are true, and its schemas describe what comes out."""

import json

import jsonschema
import pytest

from workers.compute.attempt import attempt
from workers.operations import OPERATIONS

SHIPPED = ["csv_summary", "div", "fetch", "histogram", "mul", "primes", "statistics", "sub", "sum"]
COMPUTED = [(name, example) for name in SHIPPED for example in OPERATIONS[name].spec.examples]


def test_there_is_an_operation_of_every_kind():
    assert {OPERATIONS[name].spec.weight for name in SHIPPED} == {"tiny", "cpu", "io"}


@pytest.mark.parametrize("name", sorted(set(SHIPPED) - {"fetch"}))
def test_every_operation_that_asks_nobody_has_an_example(name):
    assert OPERATIONS[name].spec.examples


@pytest.mark.parametrize(("name", "example"), COMPUTED, ids=[name for name, _ in COMPUTED])
def test_an_example_gives_the_result_it_shows_and_both_fit_their_schemas(name, example):
    spec = OPERATIONS[name].spec

    ending = attempt(OPERATIONS[name], json.dumps(example.arguments), 100_000)

    assert ending.kind == "succeeded"
    result = json.loads(ending.payload)
    assert example.result in (result, None)  # a picture is not written out
    jsonschema.validate(example.arguments, spec.arguments)
    jsonschema.validate(result, spec.result)


@pytest.mark.parametrize("name", SHIPPED)
def test_an_operation_says_what_it_is_in_one_sentence_and_explains_each_argument(name):
    spec = OPERATIONS[name].spec

    assert spec.summary.endswith(".")
    assert "\n" not in spec.summary
    if name not in {"sum", "sub", "mul", "div"}:  # two numbers
        assert all("description" in each for each in spec.arguments["properties"].values())
