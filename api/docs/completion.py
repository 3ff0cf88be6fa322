"""Completes what flasgger collected of each route: a name, a description, and the answers that every route can give.

`document.py` builds the document; `plugin_check.py` checks it then.
"""

from collections.abc import Iterator
from typing import Any, Final

from flask import Flask

from api.docs.names import UniqueNames, camel, pascal
from api.http.specs import CROSS_SITE, MISDIRECTED, NOT_ALLOWED, TOO_LARGE, UNSUPPORTED, reference
from api.plugins import EXTENSION, path_of, requests_of
from schemas.problems import MEDIA_TYPE, Problem

SHARED_RESPONSES: Final = {
    "CrossSite": CROSS_SITE,
    "NotAllowed": NOT_ALLOWED,
    "TooLarge": TOO_LARGE,
    "Unsupported": UNSUPPORTED,
    "Misdirected": MISDIRECTED,
}
"""Responses that operations of any route refer to, by their names in the document."""

FROM_ANYWHERE: Final = "/unsubscribe/"
"""Where pages of other sites may send requests: `api/http/cross_site.py`."""

Described = tuple[str, str, dict[str, Any]]
"""A path of the document, a method in lower case, and its description."""


def complete(document: dict[str, Any], app: Flask) -> None:
    """Complete the descriptions of all routes of `app` in the document."""
    name_operations(document, app)
    of_plugins = {request for _, rules in app.extensions.get(EXTENSION, ()) for request in requests_of(rules)}
    for path, method, operation in operations_of(document):
        _split_docstring(operation)
        responses = operation["responses"]
        for status, name in _shared_by(path, method, operation):
            if responses.get(status, SHARED_RESPONSES[name]) == SHARED_RESPONSES[name]:
                responses[status] = {"$ref": f"#/components/responses/{name}"}
        if (path, method) in of_plugins:
            _say_that_errors_are_problems(responses)


def operations_of(document: dict[str, Any]) -> Iterator[Described]:
    """Yield each operation of the document."""
    for path, methods in document["paths"].items():
        yield from ((path, method, operation) for method, operation in methods.items())


def name_operations(document: dict[str, Any], app: Flask) -> None:
    """Give each operation a unique `operationId`: the one it has, or the name of its view in camelCase.

    Where that is taken, a plug-in's name stands before it, or the method and the path behind it.
    """
    views = {
        (path_of(rule), method.lower()): rule for rule in app.url_map.iter_rules() for method in rule.methods or ()
    }
    names = UniqueNames(())
    # those that have one first: no other view may take it from them
    for path, method, operation in sorted(operations_of(document), key=lambda each: "operationId" not in each[2]):
        view = app.view_functions[views[path, method].endpoint]
        wanted = operation.get("operationId") or camel(_function_name(view, method))
        package = view.__module__.rpartition(".")[0].rpartition(".")[2]
        own = () if view.__module__.startswith("api.") else (camel(f"{package}_{wanted}"),)
        operation["operationId"] = names.claim_first(wanted, *own, f"{wanted}{pascal(method)}{pascal(path)}")


def _shared_by(path: str, method: str, operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the statuses that a request can be answered with before its view is asked, and their descriptions."""
    if method != "get" and not path.startswith(FROM_ANYWHERE):
        yield "403", "CrossSite"
    yield "405", "NotAllowed"
    if "requestBody" in operation:
        yield from (("413", "TooLarge"), ("415", "Unsupported"))
    yield "421", "Misdirected"


def _function_name(view: Any, method: str) -> str:
    return f"{method}_{view.view_class.__name__}" if hasattr(view, "view_class") else str(view.__name__)


def _say_that_errors_are_problems(responses: dict[str, Any]) -> None:
    """Describe the bodies of a plug-in's errors: the API writes them, whatever raised them."""
    for status, response in responses.items():
        if status >= "4" and "$ref" not in response:
            response.setdefault("content", {MEDIA_TYPE: {"schema": reference(Problem)}})


def _split_docstring(operation: dict[str, Any]) -> None:
    """Split a docstring, which flasgger takes as the summary, into summary and description."""
    summary, _, description = operation.get("summary", operation["operationId"]).partition("\n\n")
    operation["summary"] = summary.rstrip(".")
    if description:
        operation["description"] = " ".join(description.split())
