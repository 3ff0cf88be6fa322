"""The document has the product's routes and the deployment's own; those of the examples only if asked for."""

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from api.app import create_app
from api.docs.example_routes import without_examples
from errand.embedded.run_plan import shipped_examples
from tests.support.api import SilentRelay
from tests.support.plugins import PLUGIN

GREETING, EVENTS, MESSAGES = "examples.greeting", "examples.events", "examples.message_board"


@pytest.fixture
def client(settings, api_store):
    """A client of an API with three examples and a plug-in that is none."""
    paths = ",".join((GREETING, PLUGIN, EVENTS, MESSAGES))
    return create_app(settings.model_copy(update={"examples": paths}), api_store, SilentRelay()).test_client()


def names(document):
    return [tag["name"] for tag in document["tags"]]


def requests_of(document):
    return {(method, path) for path, requests in document["paths"].items() for method in requests}


def test_examples_are_left_out_unless_asked_for(client):
    plain, no, yes = (client.get(f"/apispec.json{query}").json for query in ("", "?examples=false", "?examples=true"))

    assert plain == no
    assert not {GREETING, EVENTS, MESSAGES} & set(names(plain))
    assert {("get", "/konnichiwa"), ("post", "/events"), ("get", "/events/{event_id}")} <= requests_of(
        yes
    ) - requests_of(plain)
    assert requests_of(plain) <= requests_of(yes)


def test_the_document_with_all_examples_is_valid(settings, api_store):
    app = create_app(settings.model_copy(update={"examples": ",".join(shipped_examples())}), api_store, SilentRelay())

    document = app.test_client().get("/apispec.json?examples=true").json

    assert len([tag for tag in document["tags"] if tag.get("x-example")]) >= 7
    assert list(OpenAPIV30SpecValidator(document).iter_errors()) == []


def test_a_plugin_of_the_deployment_is_no_example(client):
    assert PLUGIN in names(client.get("/apispec.json").json)


def test_examples_come_after_everything_else_and_are_marked(client):
    document = client.get("/apispec.json?examples=true").json

    marks = [tag.get("x-example", False) for tag in document["tags"]]
    assert marks == sorted(marks)
    assert [tag["name"] for tag in document["tags"] if tag.get("x-example")] == [GREETING, EVENTS, MESSAGES]


def test_a_request_of_the_product_keeps_its_group_where_an_example_adds_another_method_to_its_path(client):
    requests = client.get("/apispec.json?examples=true").json["paths"]["/events"]

    assert (requests["get"]["tags"], requests["post"]["tags"]) == (["events"], [EVENTS])
    assert list(client.get("/apispec.json").json["paths"]["/events"]) == ["get"]


def test_the_document_without_examples_says_that_there_are_some(client, api):
    assert client.get("/apispec.json").json["x-examples"] is True
    assert "x-examples" not in api.test_client().get("/apispec.json").json
    assert "x-examples" not in client.get("/apispec.json?examples=true").json


def test_the_document_is_the_same_with_and_without_the_examples(client, api_store, settings):
    only_own = settings.model_copy(update={"examples": PLUGIN})
    other = create_app(only_own, api_store, SilentRelay()).test_client()

    document = client.get("/apispec.json").json
    del document["x-examples"]
    assert document == other.get("/apispec.json").json


@pytest.mark.parametrize("value", ["", "1", "True", "yes"])
def test_another_value_is_refused(client, value):
    answer = client.get("/apispec.json", query_string={"examples": value})

    assert (answer.status_code, answer.json["parameter"]) == (400, "examples")


def test_a_document_without_examples_is_returned_as_it_is():
    document = {"tags": [{"name": "jobs"}], "paths": {"/jobs": {"get": {"tags": ["jobs"]}, "post": {}}}}

    assert without_examples(document) is document
