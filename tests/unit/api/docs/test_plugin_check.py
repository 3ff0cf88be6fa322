"""How a plug-in describes its routes: what would make the API's document invalid stops the start with a sentence."""

import sys
import textwrap
from itertools import count

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from api.app import app_of_routes, create_app
from api.docs.document import build_document
from errand.errors import SettingsRefused
from errand.settings import Settings
from tests.support.api import SilentRelay

numbers = count()
PLACE = "{name: place, in: path, required: true, schema: {type: string}}"
GOOD = f"parameters: [{PLACE}]\nresponses: {{200: {{description: Fine.}}}}"


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Write a plug-in with this source of routes, and give its dotted path."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)

    def write(source):
        name = f"described_{next(numbers)}"
        (tmp_path / name).mkdir()
        (tmp_path / name / "routes.py").write_text(source)
        return name

    yield write
    for module in [module for module in sys.modules if module.startswith("described_")]:
        del sys.modules[module]


def routes(description):
    """Write routes with one view whose docstring has this below its `---`."""
    head = (
        "from flask import Blueprint\n\nroutes = Blueprint('weather', __name__)\n\n\n@routes.get('/weather/<place>')\n"
    )
    doc = textwrap.indent(f'"""Get the weather\n---\n{description}\n"""', "    ")
    return f"{head}def temperature(place):\n{doc}\n"


def document_with(path):
    return build_document(app_of_routes(Settings(_env_file=None, examples=path)))


def refusal_of(path):
    with pytest.raises(SettingsRefused) as refused:
        document_with(path)
    return refused.value.detail


def test_a_good_description_is_taken(plugin):
    document = document_with(plugin(routes(GOOD)))

    OpenAPIV30SpecValidator(document).validate()
    operation = document["paths"]["/weather/{place}"]["get"]
    assert (operation["operationId"], operation["summary"]) == ("temperature", "Get the weather")


@pytest.mark.parametrize(
    ("description", "sentence"),
    [
        ("responses: {200: {description: Warm, or cold.}}", "responses/200 has `or cold.`: "),
        ("responses: {200: {description: 5}}", 'responses/200/description: 5 is not of type "string"'),
        ("responses: {200: {}}", "responses/200 lacks `description`"),
        ("responses: {200: Fine}", "responses/200 must be an object"),
        ("responses: [200]", "responses must be an object"),
        ("responses: {}", "has no documentation for Swagger UI"),
        ("answers: {}", "has no documentation for Swagger UI"),
        ("5", "has no documentation for Swagger UI"),
        ("responses: {2000: {description: Fine.}}", "responses has `2000`: "),
        ("responses: {200: {description: Fine., schema: {type: string}}}", "responses/200 has `schema`: "),
        ("responses: {200: {description: a}, 200: {description: b}}", "200 stands there twice"),
        ("responses: {200: {description: {{a}}}", "is not valid YAML"),
        ("responses: {200: {description: a, content: {a/b: {example: 2026-12-01}}}}", "date is not JSON serializable"),
        ("responses: {200: {description: a, content: {a/b: {example: .nan}}}}", "can't be written as JSON"),
        ("responses: {200: {description: a, content: {a/b: {example: &a [*a]}}}}", "can't be written as JSON"),
        ("paramters: []\nresponses: {200: {description: a}}", "has `paramters`: "),
        ("produces: [a/b]\nresponses: {200: {description: a}}", "has `produces`: "),
        ("parameters: {}\nresponses: {200: {description: a}}", "parameters must be a list"),
        ("parameters: [place]\nresponses: {200: {description: a}}", "parameters/0 must be an object"),
        (GOOD.replace("required: true, ", ""), "parameters/0 lacks `required`"),
        (GOOD.replace("path,", "body,"), "parameters/0/in must be one of path, query, header, cookie"),
        (GOOD.replace("schema: {type: string}", "type: string"), "parameters/0 has `type`: "),
        (GOOD.replace("{type: string}", "{type: text}"), 'parameters/0/schema/type: "text" is not one of'),
        (GOOD.replace("name: place", "name: city"), "doesn't document place; add it to `parameters`"),
        (GOOD.replace("in: path", "in: query"), "doesn't document place; add it to `parameters`"),
        (GOOD.replace("[{", "[{name: a, in: path, required: true, schema: {}}, {"), "documents a, but its path has no"),
        (GOOD.replace("{type: string}", "{$ref: '#/components/schemas/Nothing'}"), "refers to `#/components/schemas/N"),
        (
            GOOD.replace("{type: string}", "{$ref: 'http://127.0.0.1:1/a.json'}"),
            "refers to `http://127.0.0.1:1/a.json`",
        ),
        ("requestBody: {content: {}, extra: 1}\n" + GOOD, "requestBody has `extra`: "),
        ("components: {schemas: {Job: {type: string}}}\n" + GOOD, "a plug-in describes a schema Job, but Errand has"),
        ("components: {schemas: {Mine: {type: text}}}\n" + GOOD, "the schema Mine of a plug-in is not valid: type: "),
    ],
)
def test_what_would_be_invalid_is_refused_with_the_file_and_the_function(plugin, description, sentence):
    path = plugin(routes(description))

    refusal = refusal_of(path)

    assert refusal.startswith("EXAMPLES: ")
    assert sentence in refusal
    if "schema " not in refusal:
        assert f"{path}/routes.py, temperature (GET /weather/{{place}}): " in refusal


def test_a_view_without_a_description_is_refused(plugin):
    refusal = refusal_of(plugin(routes(GOOD).replace("---", "")))

    assert "temperature (GET /weather/{place}): has no documentation for Swagger UI" in refusal


def test_each_method_of_a_class_is_checked(plugin):
    source = routes(GOOD).replace("@routes.get('/weather/<place>')\ndef ", "def ") + textwrap.dedent(
        """
        from flask.views import MethodView


        class Weather(MethodView):
            get = temperature

            def delete(self, place):
                pass


        routes.add_url_rule("/weather/<place>", view_func=Weather.as_view("weather"))
        """
    )

    refusal = refusal_of(plugin(source))

    assert "Weather.delete (DELETE /weather/{place}): has no documentation for Swagger UI" in refusal


def test_a_description_given_as_a_dict_is_checked_as_well(plugin):
    source = (
        routes("")
        .replace("@routes", "from flasgger import swag_from\n\n\n@routes")
        .replace("\ndef ", "\n@swag_from({'responses': {'200': {'description': 'a', 'or b': None}}})\ndef ")
    )

    assert "responses/200 has `or b`: " in refusal_of(plugin(source))


def test_a_description_in_a_file_that_is_not_there_is_refused(plugin):
    source = routes("").replace("---\n", "file: nowhere.yml\n")

    assert "EXAMPLES: " in refusal_of(plugin(source))


def test_the_app_does_not_start_with_it(plugin, settings, api_store):
    broken = plugin(routes("responses: {200: {description: Warm, or cold.}}"))

    with pytest.raises(SettingsRefused, match="or cold"):
        create_app(settings.model_copy(update={"examples": broken}), api_store, SilentRelay())


def test_errors_of_plug_ins_are_described_as_the_problems_that_they_are(plugin):
    document = document_with(plugin(routes(GOOD.replace("Fine.}}", "Fine.}, 404: {description: Unknown.}}"))))

    answers = document["paths"]["/weather/{place}"]["get"]["responses"]
    assert answers["404"]["content"] == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    }
    assert "content" not in answers["200"]
