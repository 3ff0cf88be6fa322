"""An operation's own part of the API document: its names, its form, and its answer."""

import re

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from api.docs.operation_forms import with_operations
from schemas.operations import Operation

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.fixture
def base(api):
    return api.extensions["errand.pages"].documents[0]._base


def document_of(base, *operations):
    document = with_operations(base, [Operation.model_validate(each) for each in operations])
    OpenAPIV30SpecValidator(document).validate()
    return document


def test_an_operation_answers_with_its_own_job(base):
    squared = {"name": "square", "arguments": NUMBER, "result": {"type": "integer"}}
    squared["examples"] = [{"arguments": {"n": 7}, "result": 49}]

    document = document_of(base, squared)

    schemas = document["components"]["schemas"]
    done = document["paths"]["/operations/square"]["post"]["responses"]["200"]
    assert done["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/SquareJob"}
    job = schemas["SquareJob"]
    assert job["properties"]["operation"] == {"type": "string", "enum": ["square"]}
    assert job["properties"]["arguments"] == {"$ref": "#/components/schemas/SquareArguments"}
    assert job["properties"]["result"]["anyOf"][0] == {"$ref": "#/components/schemas/SquareResult"}
    assert schemas["SquareResult"] == {"type": "integer"}
    assert (job["example"]["operation"], job["example"]["arguments"], job["example"]["result"]) == (
        "square",
        {"n": 7},
        49,
    )
    assert list(job["example"])[:3] == ["id", "operation", "status"]
    shown = document["paths"]["/jobs/{job_id}"]["get"]["responses"]["200"]["content"]["application/json"]["examples"]
    assert shown["square"]["value"] == job["example"]


def test_each_operation_has_names_of_its_own_and_none_of_the_documents(base):
    names = ["job", "operation", "batch", "a_b", "a.b", "A_b", "größe", "日本", "3d", "primes", "primes_job", "x" * 200]

    document = document_of(base, *({"name": name, "arguments": NUMBER} for name in names))

    schemas = document["components"]["schemas"]
    assert base["components"]["schemas"].keys() <= schemas.keys()
    assert all(re.fullmatch("[A-Z][A-Za-z0-9]*", name) for name in schemas)
    assert len({name.lower() for name in schemas}) == len(schemas)
    ids = [method["operationId"] for path in document["paths"].values() for method in path.values()]
    assert len({name.lower() for name in ids}) == len(ids)
    choice = schemas["JobRequest"]
    assert {
        schemas[form.rpartition("/")[2]]["properties"]["operation"]["enum"][0]
        for form in (choice["discriminator"]["mapping"].values())
    } == set(names)


def test_parts_of_arguments_and_result_keep_apart(base):
    part = {"$defs": {"Row": {"type": "object"}, "row": {"type": "string"}}, "type": "object"}
    part["properties"] = {"a": {"$ref": "#/$defs/Row"}, "b": {"$ref": "#/$defs/row"}}

    schemas = document_of(base, {"name": "table", "arguments": part, "result": part})["components"]["schemas"]

    a, b = (schemas["TableArguments"]["properties"][name]["$ref"].rpartition("/")[2] for name in "ab")
    assert (a, schemas[a]["type"], schemas[b]["type"]) == ("TableArgumentsRow", "object", "string")
    assert schemas["TableResult"]["properties"]["a"] == {"$ref": "#/components/schemas/TableResultRow"}


@pytest.mark.parametrize("result", [{"type": 5}, {"$ref": "http://elsewhere.example/"}, {"pattern": "("}, {}])
def test_a_result_that_can_not_be_described_is_any(base, result):
    schemas = document_of(base, {"name": "odd", "arguments": NUMBER, "result": result})["components"]["schemas"]

    assert "OddResult" not in schemas
    assert schemas["OddJob"]["properties"]["result"] == base["components"]["schemas"]["Job"]["properties"]["result"]


def test_an_example_that_its_own_schema_refuses_is_replaced(base):
    wrong = {"name": "wrong", "arguments": NUMBER, "result": {"type": "integer"}}
    wrong["examples"] = [{"arguments": {"n": "seven"}, "result": "forty-nine"}]

    document = document_of(base, wrong)

    form = document["paths"]["/operations/wrong"]["post"]["requestBody"]["content"]["application/json"]
    assert form["example"] == {"arguments": {"n": 1}}
    assert document["components"]["schemas"]["WrongJob"]["example"]["result"] == 1


def test_where_no_example_can_be_made_there_is_none(base):
    puzzle = {"type": "object", "properties": {"n": {"pattern": "^[a-z]{7}$"}}, "required": ["n"]}
    puzzle["properties"]["n"]["type"] = "string"

    document = document_of(base, {"name": "puzzle", "arguments": puzzle})

    form = document["paths"]["/operations/puzzle"]["post"]["requestBody"]["content"]["application/json"]
    assert "example" not in form
    assert "example" not in document["components"]["schemas"]["PuzzleJob"]
