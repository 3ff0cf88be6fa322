"""Refusals: every error is a problem with the right status, says what to do, and leaves nothing in the store."""

import gzip
import json
import time

import pytest

from api.http.problems import loggable_path
from errand.errors import ErrandError
from errand.process.waiting import until

SUM = {"operation": "sum", "value": 30, "other": 10}
LARGE = b'{"operation":"' + b"x" * 1024 * 1024 + b'"}'
DEEP = b'{"operation":"anything","arguments":{"a":' + b"[" * 500 + b"]" * 500 + b"}}"


@pytest.fixture(autouse=True)
def nothing_is_stored(api_store, doorbells):
    yield
    api_store.come_back()
    assert api_store.accepted == []
    assert doorbells.rung == []


def refused(answer, status):
    problem = answer.json
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert problem["status"] == status
    assert all(isinstance(problem[member], str) and problem[member] for member in ("type", "title", "detail"))
    return problem


def places(problem):
    assert all(error["detail"] for error in problem["errors"])
    return [error["pointer"] for error in problem["errors"]]


@pytest.mark.parametrize("path", ["/compute", "/jobs", "/jobs/batch", "/operations/anything"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{} {}",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b'{"value": NaN}',
        b'{"value": -Infinity}',
        rb'{"value": "\ud800"}',
        b'{"value": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        DEEP,
    ],
)
def test_a_body_that_is_not_json_is_refused(client, path, body):
    problem = refused(client.post(path, data=body, content_type="application/json"), 400)

    assert problem["type"] == "urn:errand:body-unreadable"


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/compute", '{"operation": "sum", "value": 1, "other": 10, "value": 30}', "/value"),
        ("/compute", r'{"operation": "sum", "value": 1, "other": 10, "val\u0075e": 1}', "/value"),
        ("/jobs", '{"operation": "anything", "arguments": {"a": ["x:y", {"b": 1, "b": 1}]}}', "/arguments/a/1/b"),
        ("/jobs", '{"operation": "anything", "arguments": {"": 1, "": 2}}', "/arguments/"),
        ("/jobs", '{"operation": "anything", "arguments": {"a": 1}, "arguments": {"a": 1, "a": 2}}', "/arguments"),
        (
            "/jobs/batch",
            '{"jobs": [{"operation": "anything"}, {"operation": "a", "operation": "b"}]}',
            "/jobs/1/operation",
        ),
        ("/operations/anything", '{"arguments": {"~/": 1, "~/": 1}}', "/arguments/~0~1"),
    ],
)
def test_a_key_that_is_given_twice_is_refused_at_its_place(client, path, body, place):
    problem = refused(client.post(path, data=body, content_type="application/json"), 422)

    assert problem["type"] == "urn:errand:job-refused"
    assert places(problem) == [place]
    assert problem["errors"][0]["detail"] == "is given more than once; give each key once"


@pytest.mark.parametrize(
    "inside", ['"a' + '\\"' * 300_000 + '"', '["' + '","'.join([":"] * 200_000) + '"]', '{"a":' * 180 + "1" + "}" * 180]
)
def test_repeated_keys_are_found_in_a_moment_whatever_the_body(client, inside):
    began = time.perf_counter()
    body = f'{{"operation": "anything", "arguments": {{"a": {inside}, "b": ":", "b": ":"}}}}'

    assert places(refused(client.post("/jobs", data=body, content_type="application/json"), 422)) == ["/arguments/b"]
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("path", ["/compute", "/jobs", "/jobs/batch", "/operations/anything", "/unsubscribe/x"])
@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip", "x" * 5000])
def test_a_compressed_body_is_refused_with_what_to_send(client, path, coding):
    headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
    answer = client.post(path, data=gzip.compress(json.dumps(SUM).encode()), headers=headers)

    problem = refused(answer, 415)
    assert answer.headers["Accept-Encoding"] == "identity"
    assert problem["type"] == "urn:errand:content-encoding-unsupported"
    assert problem["detail"] == (
        f"The body is encoded as `{coding[:50]}`; send it as it is, without compression and without `Content-Encoding`."
    )


@pytest.mark.parametrize("path", ["/compute", "/jobs", "/jobs/batch", "/operations/anything"])
@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"1", b"true"])
def test_json_that_is_not_an_object_is_refused(client, path, body):
    problem = refused(client.post(path, data=body, content_type="application/json"), 422)

    assert places(problem) == [""]
    assert "object" in problem["errors"][0]["detail"]


@pytest.mark.parametrize("value", [True, "30", None, [], {}, 10**18 + 1, -(10**18) - 1, 1.1e18, 10**400])
def test_a_value_that_is_no_number_in_range_is_refused(client, value):
    body = json.dumps({**SUM, "value": value})

    problem = refused(client.post("/compute", data=body, content_type="application/json"), 422)

    assert places(problem) == ["/value"]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 400 + ".0"])
def test_a_number_that_no_float_holds_is_refused(client, number):
    computation = f'{{"operation":"sum","value":{number},"other":1}}'
    job = f'{{"operation":"anything","arguments":{{"a":[{number}]}}}}'

    assert places(refused(client.post("/compute", data=computation, content_type="application/json"), 422)) == [
        "/value"
    ]
    assert places(refused(client.post("/jobs", data=job, content_type="application/json"), 422)) == ["/arguments"]


def test_an_object_that_looks_like_an_encoded_type_is_only_a_wrong_value(client):
    trick = {"__type__": "decimal", "__value__": "1.5"}

    assert places(refused(client.post("/compute", json={**SUM, "value": trick}), 422)) == ["/value"]
    job = {"operation": "add", "arguments": {"value": trick, "other": 1}}
    assert places(refused(client.post("/jobs", json=job), 422)) == ["/arguments/value"]


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nobody",
        "a@b@c",
        "a@example.com\n",
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com, b@example.com",
        "a@example.com;b@example.com",
        "a b@example.com",
        '"a b"@example.com',
        "A <a@example.com>",
        "a@exam ple.com",
        "a\u0000@example.com",
        "ä@example.com",
        "a@ü..com",
        "a@-example.com",
        "a..b@example.com",
        ".a@example.com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 300 + ".com",
        "a@" + ".".join(["b" * 60] * 5),
        30,
        True,
        [],
        {"a": "b"},
    ],
)
def test_anything_but_one_plain_address_is_refused(client, email):
    problem = refused(client.post("/compute", json={**SUM, "email": email}), 422)
    job = refused(client.post("/jobs", json={"operation": "anything", "email": email}), 422)

    assert places(problem) == places(job) == ["/email"]


def test_all_faults_are_reported_at_once(client):
    problem = refused(client.post("/compute", json={"operation": "pow", "value": "1", "extra": 1}), 422)

    assert sorted(places(problem)) == ["/extra", "/operation", "/other", "/value"]
    sentences = {error["pointer"]: error["detail"] for error in problem["errors"]}
    assert sentences["/operation"] == "must be 'sum', 'sub', 'mul' or 'div'"
    assert "known fields are operation, value, other, email" in sentences["/extra"]


def test_a_flood_of_wrong_fields_gets_a_short_answer(client):
    answer = client.post("/compute", json={**SUM, **{f"{number}{'x' * 100}": 1 for number in range(5000)}})

    refused(answer, 422)
    assert len(answer.data) < 10_000


@pytest.mark.parametrize("operation", ["", "x" * 201, 1, None, ["sum"]])
def test_a_name_that_no_operation_can_have_is_refused(client, operation):
    problem = refused(client.post("/jobs", json={"operation": operation}), 422)

    assert places(problem) == ["/operation"]


@pytest.mark.parametrize("name", ["nope", "sum\u0000", "a\r\nb", "__class__"])
def test_an_unknown_operation_is_refused_with_the_known_names(client, name):
    problem = refused(client.post("/jobs", json={"operation": name, "arguments": {}}), 422)

    assert places(problem) == ["/operation"]
    assert "known operations are add, anything, tree" in problem["errors"][0]["detail"]


def test_an_operation_announced_a_moment_ago_is_found(client, api_store):
    refused(client.post("/jobs", json={"operation": "new"}), 422)
    api_store.show({"name": "new", "arguments": {"required": ["n"]}})

    until(lambda: places(client.post("/jobs", json={"operation": "new"}).json) == ["/arguments/n"], 5, "it is known")


@pytest.mark.parametrize("arguments", [None, [], "a", 1])
def test_arguments_that_are_no_object_are_refused(client, arguments):
    problem = refused(client.post("/jobs", json={"operation": "add", "arguments": arguments}), 422)

    assert places(problem) == ["/arguments"]


def test_arguments_are_refused_place_by_place_as_the_operations_schema_says(client):
    arguments = {"value": -1, "notes": ["ok", "long", 3], "a/b~c": 1, "extra": 1}

    problem = refused(client.post("/jobs", json={"operation": "add", "arguments": arguments}), 422)

    sentences = {error["pointer"]: error["detail"] for error in problem["errors"]}
    assert sentences == {
        "/arguments/value": "must be at least 0",
        "/arguments/other": "is missing; it is required",
        "/arguments/notes/1": "must have at most 3 characters",
        "/arguments/notes/2": "must be of type string",
        "/arguments/a~1b~0c": "must be of type string",
        "/arguments/extra": "is not a known field; known fields are value, other, notes, a/b~c",
    }


@pytest.mark.parametrize(
    ("wish", "place"),
    [
        ({"delay": -1}, "/delay"),
        ({"delay": 31_536_001}, "/delay"),
        ({"delay": "5"}, "/delay"),
        ({"delay": True}, "/delay"),
        ({"delay": 1, "run_at": "2026-11-21T09:30:00Z"}, "/run_at"),
        ({"run_at": "2026-11-21T09:30:00"}, "/run_at"),
        ({"run_at": "2026-02-30T09:30:00Z"}, "/run_at"),
        ({"run_at": "tomorrow"}, "/run_at"),
        ({"run_at": 1_795_253_400}, "/run_at"),
        ({"deadline": 0}, "/deadline"),
        ({"deadline": 31_536_001}, "/deadline"),
        ({"deadline": True}, "/deadline"),
        ({"deadline": "10"}, "/deadline"),
        ({"deadline": []}, "/deadline"),
        ({"deadline": 5, "delay": 6}, "/deadline"),
        ({"deadline": "2027-01-01T00:00:00Z", "run_at": "2027-01-01T00:00:01Z"}, "/deadline"),
        ({"deadline": 5, "run_at": "9999-01-01T00:00:00Z"}, "/deadline"),
        ({"deadline": "2020-01-01T00:00:00Z", "delay": 1}, "/deadline"),
        ({"timeout": 0.09}, "/timeout"),
        ({"timeout": 86_401}, "/timeout"),
        ({"max_attempts": 0}, "/max_attempts"),
        ({"max_attempts": 101}, "/max_attempts"),
        ({"max_attempts": 1.5}, "/max_attempts"),
        ({"priority": "urgent"}, "/priority"),
        ({"priority": None}, "/priority"),
        ({"tags": "a"}, "/tags"),
        ({"tags": ["a", "a"]}, "/tags"),
        ({"tags": [f"{n}" for n in range(21)]}, "/tags"),
        ({"tags": ["ok", "a b"]}, "/tags/1"),
        ({"tags": ["a\n"]}, "/tags/0"),
        ({"tags": ["x" * 81]}, "/tags/0"),
        ({"tags": [""]}, "/tags/0"),
        ({"webhook_url": "http://example.com"}, "/webhook_url"),
        ({"email": ["a@example.com", "b"]}, "/email/1"),
        ({"email": ["a@example.com", "A@example.com"]}, "/email/1"),
        ({"email": [f"{n}@example.com" for n in range(11)]}, "/email"),
        ({"email": ["a@example.com", ["b@example.com"]]}, "/email/1"),
        ({"email": "a@☃.net"}, "/email"),
        ({"notify": []}, "/notify"),
        ({"notify": "failed"}, "/notify"),
        ({"notify": {}}, "/notify/on"),
        ({"notify": {"on": []}}, "/notify/on"),
        ({"notify": {"on": "failed"}}, "/notify/on"),
        ({"notify": {"on": ["failed", "failed"]}}, "/notify/on"),
        ({"notify": {"on": ["failed", "running"]}}, "/notify/on/1"),
        ({"notify": {"on": ["failed", None]}}, "/notify/on/1"),
        ({"notify": {"on": ["failed"], "off": []}}, "/notify/off"),
    ],
)
def test_an_invalid_notify_is_refused_at_its_place(client, wish, place):
    general = refused(client.post("/jobs", json={"operation": "anything", **wish}), 422)
    own = refused(client.post("/operations/anything", json=wish), 422)

    assert places(general) == places(own) == [place]


def test_the_path_of_an_unknown_operation_is_not_found(client):
    posted, got = client.post("/operations/nope", json={}), client.get("/operations/nope")

    assert refused(posted, 404)["type"] == refused(got, 404)["type"] == "urn:errand:operation-unknown"
    assert "add, anything, tree" in posted.json["detail"]


def test_an_operations_own_path_takes_no_other_name(client):
    assert places(refused(client.post("/operations/anything", json={"operation": "add"}), 422)) == ["/operation"]


@pytest.mark.parametrize("jobs", [None, [], {}, "a", [{"operation": "anything"}] * 1001])
def test_an_invalid_batch_is_refused_as_a_whole(client, jobs):
    assert places(refused(client.post("/jobs/batch", json={"jobs": jobs}), 422)) == ["/jobs"]


def test_a_fault_in_arguments_that_are_as_deep_as_a_body_may_be_is_found(client):
    arguments = 1
    for _ in range(190):
        arguments = {"a": arguments}

    problem = refused(client.post("/jobs", json={"operation": "tree", "arguments": arguments}), 422)

    assert places(problem) == ["/arguments/a"]


def test_a_refusal_never_repeats_what_is_long(client):
    arguments = {"value": "v" * 100_000, "other": 1, "n" * 100_000: 1}

    answer = client.post("/jobs", json={"operation": "add", "arguments": arguments})

    refused(answer, 422)
    assert len(answer.data) < 2_000


@pytest.mark.parametrize("path", ["/jobs", "/operations/add"])
def test_before_the_first_worker_started_jobs_are_refused_with_503(client, api_store, path):
    api_store.withdraw_all()

    answer = client.post(path, json={"operation": "add"} if path == "/jobs" else {})

    assert refused(answer, 503)["type"] == "urn:errand:catalogue-empty"
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/compute", SUM),
        ("/jobs", {"operation": "add", "arguments": {"value": 1, "other": 2}}),
        ("/operations/add", {"arguments": {"value": 1, "other": 2}}),
        ("/jobs/batch", {"jobs": [{"operation": "anything"}]}),
    ],
)
def test_while_the_store_is_away_nothing_is_accepted(client, api_store, path, body):
    api_store.go_away()

    answer = client.post(path, json=body)

    assert refused(answer, 503)["type"] == "urn:errand:store-unavailable"
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx", ";"]
)
def test_a_body_that_is_not_declared_as_json_is_refused(client, media_type):
    refused(client.post("/compute", data=json.dumps(SUM), content_type=media_type), 415)


def test_a_body_over_one_mebibyte_is_refused(client):
    refused(client.post("/compute", data=LARGE, content_type="application/json"), 413)


def test_a_body_over_one_mebibyte_of_unannounced_length_is_refused(client):
    from io import BytesIO

    answer = client.post(
        "/compute",
        input_stream=BytesIO(LARGE + b" " * 1024 * 1024),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True},
    )

    refused(answer, 413)


@pytest.mark.parametrize("path", ["/nothing", "/jobs/a/b/c", "/static/", "/static/../app.py", "/static/%2e%2e/app.py"])
def test_an_unknown_path_is_not_found(client, path):
    refused(client.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/compute", "POST"),
        ("DELETE", "/jobs", "GET"),
        ("PUT", "/operations/add", "POST"),
        ("GET", "/jobs/x/cancel", "POST"),
        ("TRACE", "/jobs/x", "DELETE"),
        ("PATCH", "/jobs/batch", "POST"),
        ("GET", "/jobs/batch", "POST"),
        ("GET", "/jobs/retry", "POST"),
    ],
)
def test_a_wrong_method_is_answered_with_the_right_ones(client, method, path, allowed):
    answer = client.open(path, method=method)

    assert allowed in refused(answer, 405)["detail"]
    assert allowed in answer.headers["Allow"]


def test_an_unexpected_fault_is_logged_and_gives_the_client_no_details(client, api_store, monkeypatch, caplog):
    monkeypatch.setattr(api_store, "accept_each", lambda _jobs: 1 / 0)

    answer = client.post("/compute", json=SUM)

    refused(answer, 500)
    assert b"division" not in answer.data
    [line] = [line for line in caplog.records if getattr(line, "action", "") == "request_failed"]
    assert line.exc_info[0] is ZeroDivisionError


def test_an_error_without_a_row_in_the_table_is_a_fault_of_ours(client, api_store, monkeypatch):
    class Novel(ErrandError):
        """Something with a password in it."""

    monkeypatch.setattr(api_store, "accept_each", lambda _jobs: (_ for _ in ()).throw(Novel()))

    answer = client.post("/compute", json=SUM)

    refused(answer, 500)
    assert b"password" not in answer.data


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/view/token", "/view/…"),
        ("/view/token/events", "/view/…/events"),
        ("/errand/unsubscribe/token", "/errand/unsubscribe/…"),
        ("/a/b/view/token/csv", "/a/b/view/…/csv"),
        ("/jobs/view", "/jobs/view"),
        ("/preview/x", "/preview/x"),
    ],
)
def test_the_token_of_a_link_is_not_logged_whatever_path_the_proxy_keeps(path, logged):
    assert loggable_path(path) == logged
