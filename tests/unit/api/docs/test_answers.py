"""The check that `client` makes of each answer finds what the API's document lacks."""

import pytest

from tests.support.api_document import document_of

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("path", "status", "headers", "body", "lack"),
    [
        ("/healthz", 200, JSON, b'{"status": "well"}', "InvalidData"),
        ("/healthz", 200, JSON, b"{}", "InvalidData"),
        ("/healthz", 418, JSON, b"{}", "Unknown response http status: 418"),
        ("/healthz", 200, {"Content-Type": "text/plain"}, b"ok", "text/plain"),
        ("/schedules", 200, JSON, b'{"schedules": []}', "Missing required header: ETag"),
        ("/jobs", 200, JSON, b'{"jobs": [null], "next": null}', "InvalidData"),
    ],
)
def test_an_answer_that_is_not_described_is_found(path, status, headers, body, lack):
    with pytest.raises(AssertionError, match=lack):
        document_of(mailbox=False).check("GET", path, status, headers, body)


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/healthz", 200, b'{"status": "ok"}'),
        ("/jobs", 200, b'{"jobs": [], "next": null}'),
        ("/nowhere", 404, b"{}"),
    ],
)
def test_an_answer_that_is_described_is_not(path, status, body):
    document_of(mailbox=False).check("GET", path, status, JSON, body)
