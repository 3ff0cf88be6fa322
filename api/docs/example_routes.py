"""Leaves the routes of the examples out of the API document: whoever reads it wants to know what Errand does.

`api/plugins.py` marks their tags. A plug-in of the deployment's own is no example and stays.
"""

from typing import Any, Final

from api.docs.openapi import Schema
from api.plugins import IS_EXAMPLE

THERE_ARE_EXAMPLES: Final = "x-examples"


def without_examples(document: Schema) -> Schema:
    """Return a document without the tags of examples, and without the requests that have only such tags.

    Its `x-examples` tells the page that there are examples to show. A document that has none is returned as it is.
    """
    examples = {tag["name"] for tag in document["tags"] if tag.get(IS_EXAMPLE)}
    if not examples:
        return document
    paths = {path: _remaining(requests, examples) for path, requests in document["paths"].items()}
    return {
        **document,
        THERE_ARE_EXAMPLES: True,
        "tags": [tag for tag in document["tags"] if tag["name"] not in examples],
        "paths": {path: requests for path, requests in paths.items() if requests},
    }


def _remaining(requests: dict[str, Any], examples: set[str]) -> dict[str, Any]:
    return {
        method: request
        for method, request in requests.items()
        if not request.get("tags") or not examples.issuperset(request["tags"])
    }
