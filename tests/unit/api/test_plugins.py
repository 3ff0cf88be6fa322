"""What EXAMPLES may name: packages with services, routes or both; all else is refused with a sentence."""

import re
import textwrap

import pytest
from openapi_spec_validator import validate

from api.app import app_of_routes
from api.docs.document import build_document
from errand.errors import SettingsRefused
from errand.plugins import find
from errand.settings import Settings
from workers.plugins.loader import load_plugin_services

SERVICE = """
    from workers.extending import rpc

    class Greeting:
        name = "greeting"

        @rpc
        def hello(self):
            return "Hello!"
"""
ROUTES = '''
    """Greetings."""

    from flask import Blueprint

    routes = Blueprint("NAME", __name__)

    @routes.get("/greeting/<path:name>")
    def hello(name):
        """Be greeted

        Whoever you
        are.
        ---
        parameters:
          - {name: name, in: path, required: true, schema: {type: string}}
        responses:
          200: {description: A greeting.}
        """
'''


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Write a plug-in of files by their name, and give its dotted path."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(**files):
        name = f"plugin_{tmp_path.name.replace('-', '_')}_{len(list(tmp_path.iterdir()))}"
        (tmp_path / name).mkdir()
        for file, content in files.items():
            (tmp_path / name / f"{file}.py").write_text(textwrap.dedent(content).replace("NAME", name))
        return name

    return write


def settings(*paths):
    return Settings(_env_file=None, examples=",".join(paths))


def services(*paths):
    return load_plugin_services(settings(*paths), {"compute", "mail"})


def test_without_examples_there_are_no_plugins():
    assert find(settings().plugin_paths) == []


def test_a_plugin_has_services_or_routes_or_both(plugin):
    only_service, only_routes = plugin(service=SERVICE), plugin(routes=ROUTES)

    assert list(services(only_service, only_routes)) == ["greeting"]
    assert [rule.rule for rule in app_of_routes(settings(only_service, only_routes)).url_map.iter_rules()][-1] == (
        "/greeting/<path:name>"
    )


def test_a_side_imports_only_its_own_modules(plugin):
    explosive = "raise RuntimeError('not here')"

    assert list(services(plugin(service=SERVICE, routes=explosive))) == ["greeting"]
    app_of_routes(settings(plugin(service=explosive, routes=ROUTES)))


def test_routes_are_in_the_api_document_under_a_tag_of_their_own(plugin):
    path = plugin(routes=ROUTES)

    document = build_document(app_of_routes(settings(path)))

    validate(document)
    operation = document["paths"]["/greeting/{name}"]["get"]
    assert operation["tags"] == [path]
    assert (operation["summary"], operation["description"]) == ("Be greeted", "Whoever you are.")
    assert {"name": path, "description": "Greetings."} in document["tags"]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("no.such.package", "there is no package no.such.package here"),
        ("errand.errors", "there is no package errand.errors here"),
        ("../etc", "'../etc' is not the dotted path"),
        ("errand.store", "errand.store has neither service.py nor routes.py"),
    ],
)
def test_what_is_no_plugin_is_refused(path, sentence):
    with pytest.raises(SettingsRefused, match=r"^EXAMPLES: ") as refused:
        find([path])

    assert sentence in refused.value.detail


@pytest.mark.parametrize(
    ("service", "sentence"),
    [
        ("import nobody_has_this", "can't be imported (ModuleNotFoundError: No module named 'nobody_has_this')"),
        ("}", "can't be imported (SyntaxError: "),
        ("class Plain:\n    name = 'plain'", "has no service: a class with a name and a method under @rpc"),
        (SERVICE.replace("greeting", "mail"), "names a service mail, but Errand already has one of that name"),
    ],
)
def test_a_service_that_is_none_is_refused(plugin, service, sentence):
    with pytest.raises(SettingsRefused, match=r"^EXAMPLES: ") as refused:
        services(plugin(service=service))

    assert sentence in refused.value.detail


def test_two_services_of_one_name_are_refused(plugin):
    first, second = plugin(service=SERVICE), plugin(service=SERVICE)

    sentence = f"{second}.service names a service greeting, but {first}.service already has one of that name"
    with pytest.raises(SettingsRefused, match=re.escape(sentence)):
        services(first, second)


@pytest.mark.parametrize(
    ("routes", "sentence"),
    [
        ("1 / 0", "can't be imported (ZeroDivisionError: division by zero)"),
        ("routes = 5", "has no flask.Blueprint"),
        (
            ROUTES.replace("/greeting/<path:name>", "/jobs"),
            "answers GET /jobs, which another blueprint answers already",
        ),
        (ROUTES.replace("NAME", "accepting"), "can't be added"),
    ],
)
def test_routes_that_would_be_in_the_way_are_refused(plugin, routes, sentence):
    with pytest.raises(SettingsRefused, match=r"^EXAMPLES: ") as refused:
        app_of_routes(settings(plugin(routes=routes)))

    assert sentence in refused.value.detail


def test_the_keys_of_an_answer_are_in_the_order_in_which_the_view_gives_them(plugin):
    path = plugin(routes=ROUTES + '        return {"z": 1, "id": 2, "a": {"y": 3, "b": 4}}\n')

    answer = app_of_routes(settings(path)).test_client().get("/greeting/Ada")

    assert answer.text.strip() == '{"z":1,"id":2,"a":{"y":3,"b":4}}'
