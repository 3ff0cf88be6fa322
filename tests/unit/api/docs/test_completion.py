"""Each route of the document has a name of its own, and the answers that every route can give."""

import re
from collections import Counter

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView

from api.docs.completion import name_operations, operations_of


@pytest.fixture
def document(client):
    return client.get("/apispec.json").json


def test_each_request_is_called_by_a_method_name_of_its_own(document):
    names = [operation["operationId"] for _, _, operation in operations_of(document)]

    assert [name for name in names if not re.fullmatch("[a-z][A-Za-z0-9]*", name)] == []
    assert [name for name, times in Counter(map(str.lower, names)).items() if times > 1] == []
    assert {"submitJob", "getJob", "listJobs", "cancelJob", "putSchedule", "runAdd", "describeAdd"} <= set(names)


def test_links_lead_to_requests_that_there_are(document):
    names = {operation["operationId"] for _, _, operation in operations_of(document)}
    links = document["paths"]["/jobs"]["post"]["responses"]["202"]["links"]

    assert {link["operationId"] for link in links.values()} <= names


def test_what_reads_a_body_refuses_a_compressed_and_a_large_one_and_says_so(client, document):
    for path, method, operation in operations_of(document):
        assert ("requestBody" in operation) <= ({"413", "415"} <= operation["responses"].keys()), (path, method)
    answer = client.post("/unsubscribe/x", data=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415


def test_what_changes_something_refuses_pages_of_other_sites_and_says_so(client, document):
    for path, method, operation in operations_of(document):
        assert (method != "get" and not path.startswith("/unsubscribe")) == ("403" in operation["responses"]), path
    assert client.post("/jobs", json={}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_every_request_may_be_for_another_host_and_with_another_method(document):
    for path, method, operation in operations_of(document):
        assert {"405", "421"} <= operation["responses"].keys(), (path, method)


def test_the_usual_answer_to_a_job_stands_first(document):
    for path in ("/jobs", "/compute", "/operations/{name}", "/operations/add"):
        assert next(iter(document["paths"][path]["post"]["responses"])) == "202"


class Thing(MethodView):
    def get(self):
        """Answer."""

    def delete(self):
        """Answer."""


def show_it():
    """Answer."""


def named(*operations, add):
    """Name these operations of a document, each (path, method, description), of an app to which `add` adds routes."""
    app = Flask("any")
    add(app)
    document = {"paths": {}}
    for path, method, operation in operations:
        document["paths"].setdefault(path, {})[method] = operation
    name_operations(document, app)
    return [operation["operationId"] for _, _, operation in operations]


def test_a_view_is_named_by_its_function_or_by_its_class():
    def add(app):
        app.add_url_rule("/it", view_func=show_it)
        app.add_url_rule("/thing/<int:number>", view_func=Thing.as_view("thing"))

    operations = [("/it", "get", {}), ("/thing/{number}", "get", {}), ("/thing/{number}", "delete", {})]
    assert named(*operations, add=add) == ["showIt", "getThing", "deleteThing"]


def test_a_name_that_is_taken_gets_the_package_before_it_and_then_the_path_behind_it():
    def add(app):
        for rule in ("/a", "/b", "/c"):
            app.add_url_rule(rule, rule, view_func=show_it)

    ids = named(("/a", "get", {}), ("/b", "get", {}), ("/c", "get", {"operationId": "showIt"}), add=add)
    assert ids == ["docsShowIt", "showItGetB", "showIt"]


def test_two_routes_of_one_view_that_has_a_name_have_two_names():
    def add(app):
        blueprint = Blueprint("blueprint", __name__)
        blueprint.get("/a")(show_it)
        blueprint.get("/b")(show_it)
        app.register_blueprint(blueprint)

    ids = named(("/a", "get", {"operationId": "x"}), ("/b", "get", {"operationId": "x"}), add=add)
    assert ids == ["x", "docsX"]
