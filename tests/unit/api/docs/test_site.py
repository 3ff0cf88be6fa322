"""The API document is whole and valid, and the page that shows it loads nothing from other hosts."""

import re

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from api.app import create_app
from api.docs.openapi import NULL, translated
from api.http.assets import STATIC
from errand.process.waiting import until
from tests.support.api import SilentRelay

NODE = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}}}
NOVEL = {
    "name": "novel",
    "summary": "Does what nothing did before.",
    "description": "And more.",
    "arguments": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": {"Node": NODE, "Odd.name!": {"$anchor": "odd", "const": 1}},
        "type": "object",
        "title": "novel",
        "properties": {
            "node": {"$ref": "#/$defs/Node", "description": "Where to begin."},
            "odd": {"$ref": "#/$defs/Odd.name!"},
            "self": {"$ref": "#"},
            "anchor": {"$ref": "#odd"},
            "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
            "either": {"type": ["string", "integer", "null"], "examples": ["a", 1]},
            "nothing": {"type": "null"},
            "one": {"oneOf": [{"const": None}, {"type": "number", "exclusiveMinimum": 0, "minimum": -5}]},
            "list": {"type": "array", "contains": {"type": "string"}, "unevaluatedItems": False},
            "map": {"type": "object", "patternProperties": {"^a": {}}, "additionalProperties": False},
            "any": True,
            "none": False,
            "not": {"not": {"type": "string", "contentEncoding": "base64"}},
            "if": {"if": {"type": "string"}, "then": {"minLength": 1}, "dependentRequired": {"a": ["b"]}},
        },
        "required": ["node"],
        "additionalProperties": False,
    },
    "examples": [{"arguments": {"node": {"next": None}}, "result": 1}],
}


def faults_of(document):
    return list(OpenAPIV30SpecValidator(document).iter_errors())


def test_every_route_is_in_the_document(api, client):
    document = client.get("/apispec.json").json
    concrete = {f"/operations/{name}" for name in ("add", "anything", "tree")}

    described = {
        (path, method.upper())
        for path, methods in document["paths"].items()
        for method in methods
        if path not in concrete
    }
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in api.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == routes
    assert concrete <= document["paths"].keys()


def test_the_document_is_valid_openapi_3_0(client):
    document = client.get("/apispec.json").json

    assert document["openapi"] == "3.0.3"
    assert faults_of(document) == []


def test_an_operation_announced_now_has_a_path_with_its_form_a_moment_later(client, api_store):
    before = client.get("/apispec.json")

    api_store.show(NOVEL)

    until(lambda: "/operations/novel" in client.get("/apispec.json").json["paths"], 5, "the new operation is shown")
    after = client.get("/apispec.json", headers={"If-None-Match": before.headers["ETag"]})
    post = after.json["paths"]["/operations/novel"]["post"]
    form = post["requestBody"]["content"]["application/json"]
    assert faults_of(after.json) == []
    assert (post["summary"], post["description"]) == ("Does what nothing did before", "And more.")
    assert form["example"] == {"arguments": {"node": {"next": None}}}
    schemas = after.json["components"]["schemas"]
    assert form["schema"] == {"$ref": "#/components/schemas/NovelRequest"}
    assert {"arguments", "email", "delay", "tags"} <= schemas["NovelRequest"]["properties"].keys()
    assert schemas["NovelRequest"]["required"] == ["arguments"]
    assert client.post("/operations/novel", json=form["example"]).status_code == 202


def test_a_form_of_an_operation_without_examples_is_filled_in_with_what_it_needs(client):
    paths = client.get("/apispec.json").json["paths"]

    forms = {name: paths[f"/operations/{name}"]["post"]["requestBody"]["content"] for name in ("add", "anything")}

    examples = {name: form["application/json"]["example"] for name, form in forms.items()}
    assert examples == {"add": {"arguments": {"value": 0, "other": 1}}, "anything": {"arguments": {}}}
    assert [client.post(f"/operations/{name}", json=body).status_code for name, body in examples.items()] == [202, 202]


def test_a_body_that_names_an_operation_is_a_choice_of_their_forms(client):
    schemas = client.get("/apispec.json").json["components"]["schemas"]

    choice = schemas["JobRequest"]
    forms = [form["$ref"].rpartition("/")[2] for form in choice["oneOf"]]
    names = [schemas[form]["properties"]["operation"]["enum"] for form in forms]
    assert names == [["add"], ["anything"], ["tree"]]
    assert choice["discriminator"]["propertyName"] == "operation"
    assert schemas[forms[0]]["required"] == ["operation", "arguments"]


@pytest.mark.parametrize("state", ["empty", "away"])
def test_without_a_catalogue_the_document_is_whole_but_for_the_forms(client, api_store, state):
    api_store.withdraw_all() if state == "empty" else api_store.go_away()

    document = client.get("/apispec.json").json

    assert faults_of(document) == []
    assert "/operations/add" not in document["paths"]
    assert "operation" in document["components"]["schemas"]["JobRequest"]["properties"]


def test_every_operation_says_what_it_is_for_and_examples_are_real(client):
    document = client.get("/apispec.json").json

    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert "\n" not in operation["summary"]
            assert operation["tags"]
    compute = document["paths"]["/compute"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert compute == {"operation": "sum", "value": 30, "other": 10, "email": "name@email.com"}
    assert client.post("/compute", json=compute).status_code == 202


def test_two_apps_in_one_process_have_the_same_document_and_do_not_share_it(client, settings, api_store):
    other = create_app(settings, api_store, SilentRelay()).test_client()

    assert other.get("/apispec.json").data == client.get("/apispec.json").data


@pytest.mark.parametrize("path", ["/flasgger_static/swagger-ui-bundle.js", "/apispec_1.json", "/oauth2-redirect.html"])
def test_the_old_user_interface_of_flasgger_is_not_served(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/apidocs", "/apidocs/"])
def test_the_page_names_no_other_host_and_forbids_what_it_does_not_need(client, path):
    answer = client.get(path)

    policy = answer.headers["Content-Security-Policy"]
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "//" not in answer.text
    assert not re.search(r"<script>|<style>|\son\w+=|style=", answer.text)


def test_every_file_the_page_names_is_there_and_may_be_kept_for_ever(client):
    names = re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get("/apidocs").text)

    assert len([name for name in names if name.startswith("/static/swagger-ui/")]) == 3
    assert {path.name for path in (STATIC / "apidocs").iterdir()} == {
        re.sub(r".*/|\?.*", "", name) for name in names if name.startswith("/static/apidocs/")
    }
    for name in names:
        answer = client.get(name)
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "max-age=31536000" in answer.headers["Cache-Control"]


def test_large_files_are_sent_compressed_to_clients_that_accept_it(client):
    bundle = "/static/swagger-ui/swagger-ui-bundle.js"

    plain, compressed = client.get(bundle), client.get(bundle, headers={"Accept-Encoding": "br, gzip"})

    assert "Content-Encoding" not in plain.headers
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert len(compressed.data) < len(plain.data) / 3
    assert "Accept-Encoding" in compressed.headers["Vary"]


def test_the_front_door_leads_to_the_page(client):
    answer = client.get("/")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/apidocs")


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}, {"type": "string", "nullable": True}),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"exclusiveMinimum": 0}, {"minimum": 0, "not": {"enum": [0]}}),
        ({"exclusiveMinimum": 0, "exclusiveMaximum": 1}, {"minimum": 0, "maximum": 1, "not": {"enum": [0, 1]}}),
        ({"type": "integer", "exclusiveMinimum": 0, "maximum": 5}, {"type": "integer", "minimum": 1, "maximum": 5}),
        ({"type": "integer", "exclusiveMaximum": 4, "maximum": 3}, {"type": "integer", "maximum": 3}),
        (
            {"exclusiveMinimum": 0, "not": {"type": "string"}},
            {"minimum": 0, "not": {"type": "string"}, "allOf": [{"not": {"enum": [0]}}]},
        ),
        ({"examples": [1, 2]}, {"example": 1}),
        ({"$ref": "#/a", "description": "d"}, {"allOf": [{"$ref": "#/a"}], "description": "d"}),
        ({"properties": {"const": {"const": 1}}}, {"properties": {"const": {"enum": [1]}}}),
        ({"title": "A", "propertyNames": {"maxLength": 1}}, {}),
        (
            {"items": {"anyOf": [{"$ref": "#/a"}, {"type": "null"}]}},
            {"items": {"anyOf": [{"$ref": "#/a"}, NULL]}},
        ),
        (
            {"anyOf": [{"$ref": "#/a"}, {"type": "null"}], "description": "d", "default": None},
            {"description": "d", "anyOf": [{"$ref": "#/a"}, NULL]},
        ),
        (
            {"anyOf": [{"type": "string"}, {"$ref": "#/a"}, {"type": "null"}], "examples": ["e"]},
            {"example": "e", "anyOf": [{"type": "string"}, {"$ref": "#/a"}, NULL]},
        ),
        (
            {"type": ["object", "null"], "allOf": [{"required": ["a"]}], "description": "d"},
            {"description": "d", "anyOf": [{"type": "object", "allOf": [{"required": ["a"]}]}, NULL]},
        ),
        ({"anyOf": [{}, {"type": "null"}]}, {}),
        ({"$ref": "#/a", "default": {}}, {"$ref": "#/a"}),
        ({"$ref": "#/a", "default": "b"}, {"description": 'Default: `"b"`.', "allOf": [{"$ref": "#/a"}]}),
        ({"default": False, "description": "d"}, {"description": "d Default: `false`."}),
        ({"type": "integer", "default": 0}, {"type": "integer", "description": "Default: `0`."}),
        ({"type": "array", "default": [], "items": {}}, {"type": "array", "items": {}}),
        ({"default": "x" * 1000}, {}),
        ({"properties": {"default": {"default": 1}}}, {"properties": {"default": {"description": "Default: `1`."}}}),
        (
            {"type": "object", "title": "T", "properties": {"title": {"title": "U"}}},
            {"type": "object", "properties": {"title": {}}},
        ),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"allOf": [{"anyOf": [{"type": "string"}, {"type": "integer"}]}]}),
        ({"type": "null"}, NULL),
        (
            {"anyOf": [{"enum": ["a"], "type": "string"}, {"type": "null"}]},
            {"enum": ["a", None], "type": "string", "nullable": True},
        ),
        ({"enum": [1, None]}, {"enum": [1, None]}),
        ({"exclusiveMinimum": 0, "minimum": 5}, {"minimum": 5}),
        ({"exclusiveMaximum": 4, "maximum": 5}, {"maximum": 4, "not": {"enum": [4]}}),
        ({"type": "array", "prefixItems": [{}], "items": False}, {"type": "array", "items": {}}),
        ({"oneOf": [{"minimum": 1}, {"maximum": 5}]}, {"anyOf": [{"minimum": 1}, {"maximum": 5}]}),
        ({"patternProperties": {"a": {}}, "additionalProperties": False}, {}),
        ({"not": {"required": ["a"]}}, {"not": {"required": ["a"]}}),
        ({"not": {"contains": {}}}, {}),
        ({"required": []}, {}),
        (True, {}),
        (False, {"not": {}}),
    ],
)
def test_a_schema_is_translated_into_the_dialect_of_openapi_3_0(new, old):
    assert translated(new) == old


def test_the_address_in_the_tutorials_leads_to_the_page(client):
    answer = client.get("/apidocs/index.html")

    assert (answer.status_code, answer.location) == (302, "/apidocs")
