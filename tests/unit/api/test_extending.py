"""Bodies that the routes of plug-ins read: whatever comes is JSON, or refused as a fault of the client's."""

import pytest
from flask import Blueprint, request

from api.app import app_of_routes
from api.extending import json_body
from errand.settings import Settings

JSON, FORM = "application/json", "application/x-www-form-urlencoded"

NONE = [b"", b"a=b", b"[" * 500_000, b'{"a":' * 100_000, b"NaN", b"\xff", b'"\\ud800"', b"{}{}"]

routes = Blueprint("bodies", __name__)


@routes.post("/by-flask")
def by_flask() -> dict[str, object]:
    return {"body": request.get_json()}


@routes.post("/by-errand")
def by_errand() -> dict[str, object]:
    return {"body": json_body()}


@pytest.fixture(scope="module")
def client():
    app = app_of_routes(Settings(_env_file=None))
    app.register_blueprint(routes)
    return app.test_client()


@pytest.mark.parametrize(("path", "media_type"), [("/by-flask", JSON), ("/by-errand", JSON), ("/by-errand", FORM)])
def test_json_is_read(client, path: str, media_type: str) -> None:
    answer = client.post(
        path, data=b'{"__type__": ["\xc3\xbc", 1180591620717411303424, null]}', content_type=media_type
    )

    assert answer.json == {"body": {"__type__": ["ü", 2**70, None]}}


@pytest.mark.parametrize("body", NONE)
@pytest.mark.parametrize("path", ["/by-flask", "/by-errand"])
def test_what_is_no_json_is_refused_whatever_it_is(client, path: str, body: bytes) -> None:
    answer = client.post(path, data=body, content_type=JSON)

    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


def test_a_body_that_says_it_is_none_is_read_by_errand_only_and_one_too_long_by_nobody(client) -> None:
    assert client.post("/by-flask", data=b"{}", content_type=FORM).status_code == 415
    assert client.post("/by-errand", data=b'"' + b"x" * 1_048_576 + b'"', content_type=FORM).status_code == 413


@pytest.mark.parametrize("path", ["/by-flask", "/by-errand"])
def test_a_byte_order_mark_is_skipped_a_repeated_key_and_a_compressed_body_are_refused(client, path: str) -> None:
    with_mark = client.post(path, data=b'\xef\xbb\xbf{"a": 1}', content_type=JSON)
    twice = client.post(path, data=b'{"a": {"b": 1, "b": 2}}', content_type=JSON)
    compressed = client.post(path, data=b"\x1f\x8b", content_type=JSON, headers={"Content-Encoding": "gzip"})

    assert with_mark.json == {"body": {"a": 1}}
    assert (twice.status_code, twice.json["errors"][0]["pointer"]) == (422, "/a/b")
    assert (compressed.status_code, compressed.headers["Accept-Encoding"]) == (415, "identity")
