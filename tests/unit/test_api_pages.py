"""The API document is whole and valid, and the page that shows it asks nobody else."""

import re

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from api.app import create_app
from api.openapi import translated
from errand.settings import Settings
from tests.support.api import MemoryStore, SilentRelay


def test_every_route_is_in_the_document(api, client):
    document = client.get("/apispec.json").json

    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in api.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == routes


def test_the_document_is_valid_openapi_3_0(client):
    document = client.get("/apispec.json").json

    assert document["openapi"] == "3.0.3"
    assert list(OpenAPIV30SpecValidator(document).iter_errors()) == []


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


def test_two_apps_in_one_process_have_the_same_document_and_do_not_share_it(client):
    other = create_app(Settings(_env_file=None), MemoryStore(), SilentRelay()).test_client()

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

    assert len(names) == 5
    for name in names:
        answer = client.get(name)
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "max-age=31536000" in answer.headers["Cache-Control"]


def test_large_files_are_sent_compressed_to_those_who_can_read_that(client):
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
        ({"exclusiveMinimum": 0}, {"minimum": 0, "exclusiveMinimum": True}),
        ({"examples": [1, 2]}, {"example": 1}),
        ({"$ref": "#/a", "description": "d"}, {"allOf": [{"$ref": "#/a"}], "description": "d"}),
        ({"properties": {"const": {"const": 1}}}, {"properties": {"const": {"enum": [1]}}}),
        ({"title": "A", "propertyNames": {"maxLength": 1}}, {}),
        (
            {"items": {"anyOf": [{"$ref": "#/a"}, {"type": "null"}]}},
            {"items": {"allOf": [{"$ref": "#/a"}], "nullable": True}},
        ),
    ],
)
def test_a_schema_is_translated_into_the_dialect_of_openapi_3_0(new, old):
    assert translated(new) == old
