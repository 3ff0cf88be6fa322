"""Serves Swagger UI and the API document: `GET /apidocs`, `GET /apispec.json` and the files below `/static`.

The page loads nothing from other hosts; its policy forbids it.
"""

import gzip
from functools import cached_property, lru_cache
from mimetypes import guess_type
from pathlib import Path
from threading import Lock
from typing import Final, cast

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request
from werkzeug.wrappers import Response

from api.context import current_errand
from api.docs.document import build_document
from api.docs.example_routes import without_examples
from api.docs.operation_forms import Document, RenderedDocument
from api.http import content_policy
from api.http.answer import Answer, json_answer
from api.http.assets import ASSETS, asset_url
from api.http.specs import (
    ETAG,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    documented,
    json_response,
    parameter,
    problem_response,
)
from errand.errors import ParameterRefused, StoreUnavailable

pages = Blueprint("pages", __name__)


PAGE_HEADERS: Final = {
    # Swagger UI's style sheet contains its icons as data: addresses
    content_policy.HEADER: content_policy.own_page(img_src="'self' data:"),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
IMMUTABLE: Final = "public, max-age=31536000, immutable"
"""`Cache-Control` of a file: its address has a fingerprint of its content, so a changed file has another address."""
EXAMPLES: Final = parameter(
    "examples",
    "query",
    "Whether to show the routes of the examples that come with Errand, if they are switched on.",
    type="boolean",
    default=False,
)


class Documentation:
    """An app's documentation, built at the first request: flasgger takes 5 MB, which most processes can save."""

    def __init__(self, app: Flask) -> None:
        """Document `app`, which has all its routes."""
        self._app = app
        self._lock = Lock()

    @cached_property
    def documents(self) -> tuple[Document, Document]:
        """The OpenAPI document without and with the routes of the examples."""
        with self._lock:
            return self.__dict__.get("documents") or self._built()

    def _built(self) -> tuple[Document, Document]:
        whole = build_document(self._app, self._app.extensions["errand"].settings.public_url)
        product = without_examples(whole)
        with_examples = Document(whole)
        return (with_examples if product is whole else Document(product)), with_examples


def prepare(app: Flask) -> None:
    """Prepare the documentation of an app that has all its routes. Raises what a plug-in's description raises."""
    documentation = app.extensions["errand.pages"] = Documentation(app)
    if app.extensions["errand"].settings.plugin_paths:
        _ = documentation.documents  # a fault in a plug-in's description shows at the start


def _documentation() -> Documentation:
    return cast(Documentation, current_app.extensions["errand.pages"])


@pages.get("/")
@pages.get("/apidocs/index.html")
@documented(
    "openDocumentation",
    tags=["documentation"],
    responses={
        "302": {"description": "A redirect to `/apidocs`."},
        # a lone redirect looks to openapi-typescript as if the answer had been forgotten
        "default": {"description": "There is no other answer."},
    },
)
def front_door() -> Response:
    """Go to the documentation"""
    return redirect(f"{request.root_path}/apidocs")


@pages.get("/apidocs")
@documented(
    "openSwaggerUi",
    tags=["documentation"],
    parameters=[EXAMPLES | {"schema": {"type": "string"}}],  # the page passes over other values
    responses={"200": {"description": "A page (HTML) with Swagger UI."}},
)
def apidocs() -> Answer:
    """Read the documentation and try the API"""
    return Answer(render_template("apidocs.html", asset=asset_url), headers=PAGE_HEADERS, mimetype="text/html")


@pages.get("/apispec.json")
@documented(
    "getDocument",
    tags=["documentation"],
    parameters=[EXAMPLES, IF_NONE_MATCH],
    responses={
        "200": json_response("An OpenAPI 3.0 document.", {"type": "object"}, ETAG),
        "304": NOT_MODIFIED,
        "400": problem_response("`examples` is neither `true` nor `false`.", ParameterRefused(parameter="examples")),
    },
)
def apispec() -> Answer:
    """Get this documentation as an OpenAPI document

    Contains a path for each operation that the workers have announced by now. The routes of the examples that come
    with Errand are left out unless asked for, so that the document is the same with and without them.
    """
    document = current_document(_documentation().documents[asks_for_examples()])
    headers = {"ETag": f'W/"{document.etag}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.if_none_match.contains_weak(document.etag):
        return json_answer("", 304, headers)
    if request.accept_encodings["gzip"] > 0:
        return Answer(document.gzipped, headers={**headers, "Content-Encoding": "gzip"})
    return Answer(document.content, headers=headers)


def asks_for_examples() -> bool:
    """Return what this request says about the routes of the examples. Raises ParameterRefused."""
    text = request.args.get("examples", "false")
    if text not in {"true", "false"}:
        raise ParameterRefused("`examples` must be one of true, false.", parameter="examples")
    return text == "true"


def current_document(document: Document) -> RenderedDocument:
    """Return the document with the published operations, or without operations while the store is down."""
    try:
        return document.of(current_errand().catalogue.texts())
    except StoreUnavailable:
        return document.plain


@pages.get("/static/<path:filename>")
@documented(
    "getAsset",
    tags=["documentation"],
    parameters=[parameter("filename", "path", "The file's path.", enum=list(ASSETS))],
    responses={"200": {"description": "The file."}, "404": {"description": "There is no such file."}},
)
def asset(filename: str) -> Answer:
    """Get a file of a page

    Returns a script, style sheet or picture of this documentation or of another page.
    """
    path = ASSETS.get(filename) or abort(404)
    headers = {"Cache-Control": IMMUTABLE, "Vary": "Accept-Encoding", "Referrer-Policy": "no-referrer"}
    mimetype = guess_type(path.name)[0] or "text/plain"
    if mimetype != "image/png" and request.accept_encodings["gzip"] > 0:
        return Answer(_gzipped(path), headers={**headers, "Content-Encoding": "gzip"}, mimetype=mimetype)
    return Answer(path.read_bytes(), headers=headers, mimetype=mimetype)


@lru_cache(maxsize=8)
def _gzipped(path: Path) -> bytes:
    """Compress a file; cached, because Swagger UI has 1.7 MB, of which a phone loads only a quarter compressed."""
    return gzip.compress(path.read_bytes(), 6, mtime=0)
