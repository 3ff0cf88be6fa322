"""The catalogue over HTTP, and which descriptions are left out of it."""

import logging

import pytest

from schemas.operations import Operation, Operations
from tests.support.api import ADD


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


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"properties": {"a": {"pattern": "^(?=a)b"}}}, "linear time: no lookahead, lookbehind or backreference"),
        ({"properties": {"a": {"pattern": r"^(a)\1$"}}}, "linear time: no lookahead, lookbehind or backreference"),
        ({"properties": {"a": {"type": "zebra"}}}, "'anyOf' keyword, at #/properties/a/type"),
        ({"$ref": "https://example.com/schema"}, "Retrieval is disabled"),
        ({"$ref": "file:///etc/hostname"}, "Retrieval is disabled"),
        ({"$ref": "#/$defs/Missing"}, "/$defs/Missing"),
    ],
)
def test_an_operation_whose_schema_is_unusable_is_left_out_and_the_log_says_why(
    client, api_store, caplog, schema, reason
):
    with caplog.at_level(logging.WARNING):
        api_store.show(ADD, {"name": "odd", "arguments": schema})
        names = [operation["name"] for operation in client.get("/operations").json["operations"]]

    [record] = [record for record in caplog.records if getattr(record, "action", "") == "operation_unreadable"]
    assert "odd" not in names
    assert record.operation == "odd"
    assert reason in record.getMessage()
