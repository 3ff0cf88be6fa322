"""Preconditions (RFC 9110, 13) over HTTP, on a real store: a client never overwrites what it hasn't seen."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from api.app import create_app
from errand.store import Outcome
from schemas.operations import Operation
from schemas.status import Status
from tests.support.api import ADD, SilentRelay

PATH = "/schedules/nightly"
CLIENTS = 8


@pytest.fixture
def app(settings, store):
    operation = Operation.model_validate(ADD)
    store.publish_catalogue({operation.name: operation.model_dump_json()})
    return create_app(settings, store, SilentRelay())


@pytest.fixture
def client(app):
    return app.test_client()


def put(client, value=1, path=PATH, **headers):
    body = {"cron": "*/5 * * * *", "operation": "add", "arguments": {"value": value, "other": 2}}
    return client.put(path, json=body, headers={name.replace("_", "-"): text for name, text in headers.items()})


def delete(client, path=PATH, **headers):
    return client.delete(path, headers={name.replace("_", "-"): text for name, text in headers.items()})


def refused(answer) -> bool:
    if answer.status_code != 412:
        return False
    assert answer.content_type == "application/problem+json"
    assert answer.json["type"] == "urn:errand:precondition-failed"
    return True


def at_once(app, request) -> Counter[int]:
    """Send a request from many threads at once; count the answers by status."""
    barrier = Barrier(CLIENTS)

    def send(number: int) -> int:
        client = app.test_client()
        barrier.wait()
        return request(client, number).status_code

    with ThreadPoolExecutor(CLIENTS) as pool:
        return Counter(pool.map(send, range(CLIENTS)))


class TestASchedule:
    def test_is_replaced_only_in_the_version_that_its_client_has_read(self, client):
        first = put(client).headers["ETag"]
        second = put(client, 2, If_Match=first)

        assert second.status_code == 200
        assert refused(put(client, 3, If_Match=first))
        assert client.get(PATH).json["arguments"]["value"] == 2
        assert put(client, 3, If_Match=second.headers["ETag"]).status_code == 200

    @pytest.mark.parametrize("tags", ['"other", {}', '{} , W/"x"', "*", '"a,b",{}'])
    def test_any_tag_of_a_list_will_do(self, client, tags):
        etag = put(client).headers["ETag"]

        assert put(client, 2, If_Match=tags.format(etag)).status_code == 200

    @pytest.mark.parametrize("tags", ['"other"', "W/{}", "", '"', "{0}x", '"a" "b"'])
    def test_no_other_tag_will_do(self, client, tags):
        etag = put(client).headers["ETag"]

        assert refused(put(client, 2, If_Match=tags.format(etag)))
        assert refused(delete(client, If_Match=tags.format(etag)))
        assert client.get(PATH).headers["ETag"] == etag

    def test_that_does_not_exist_matches_nothing(self, client):
        assert refused(put(client, If_Match="*"))
        assert refused(put(client, If_Match='"any"'))
        assert client.get(PATH).status_code == 404
        assert delete(client, If_Match="*").status_code == 404

    def test_is_only_created_if_the_client_says_so(self, client):
        assert put(client, If_None_Match="*").status_code == 201
        assert refused(put(client, 2, If_None_Match="*"))
        assert client.get(PATH).json["arguments"]["value"] == 1

    def test_is_left_alone_if_it_has_an_excluded_version(self, client):
        etag = put(client).headers["ETag"]

        assert refused(put(client, 2, If_None_Match=f'"other", W/{etag}'))
        assert put(client, 2, If_None_Match='"other"').status_code == 200

    def test_is_deleted_only_in_the_version_that_its_client_has_read(self, client):
        first = put(client).headers["ETag"]
        second = put(client, 2).headers["ETag"]

        assert refused(delete(client, If_Match=first))
        assert delete(client, If_Match=second).status_code == 204
        assert delete(client, If_Match=second).status_code == 404

    def test_a_bad_request_is_refused_for_what_is_wrong_with_it(self, client):
        assert client.put(PATH, json={}, headers={"If-Match": '"other"'}).status_code == 422
        assert put(client, path="/schedules/a b", If_Match='"other"').status_code == 400

    def test_is_shown_by_the_same_rules(self, client):
        etag = put(client).headers["ETag"]
        for method in (client.get, client.head):
            assert method(PATH, headers={"If-None-Match": f"W/{etag}"}).status_code == 304
            assert method(PATH, headers={"If-None-Match": "*"}).status_code == 304
            assert method(PATH, headers={"If-None-Match": '"other"'}).status_code == 200
            assert method(PATH, headers={"If-Match": etag}).status_code == 200
            assert method(PATH, headers={"If-Match": '"other"'}).status_code == 412

    def test_a_date_does_not_override_a_tag(self, client):
        etag = put(client).headers["ETag"]
        dates = {
            "If-Modified-Since": "Tue, 01 Jan 2999 00:00:00 GMT",
            "If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT",
        }

        assert client.get(PATH, headers=dates | {"If-None-Match": '"other"'}).status_code == 200
        assert client.get(PATH, headers=dates | {"If-None-Match": etag}).status_code == 304

    def test_a_tick_is_a_change(self, client, store):
        etag = put(client).headers["ETag"]
        store.client.hset(store.keys.schedule("nightly"), "skipped", "1")

        assert refused(put(client, 2, If_Match=etag))

    @pytest.mark.parametrize("change", [put, delete])
    def test_a_change_between_the_look_and_the_change_is_noticed(self, client, store, monkeypatch, change):
        etag = put(client).headers["ETag"]
        look, others = store.schedule, iter([lambda: put(client, 7)])

        def look_and_be_overtaken(name):
            seen = look(name)
            next(others, lambda: None)()
            return seen

        monkeypatch.setattr(store, "schedule", look_and_be_overtaken)

        assert refused(change(client, If_Match=etag))
        assert look("nightly").definition.arguments == '{"value":7,"other":2}'

    @pytest.mark.parametrize("change", [put, delete])
    def test_any_version_will_do_even_if_it_changes_meanwhile(self, client, store, monkeypatch, change):
        put(client)
        look, others = store.schedule, iter([lambda: put(client, 7)])

        def look_and_be_overtaken(name):
            seen = look(name)
            next(others, lambda: None)()
            return seen

        monkeypatch.setattr(store, "schedule", look_and_be_overtaken)

        assert change(client, If_Match="*").status_code in {200, 204}

    def test_of_many_that_replace_one_version_at_once_one_wins(self, app, client):
        etag = put(client, 100).headers["ETag"]
        for _ in range(10):
            answers = at_once(app, lambda other, number, etag=etag: put(other, number, If_Match=etag))

            assert answers == {200: 1, 412: CLIENTS - 1}
            etag = put(client, 100).headers["ETag"]

    def test_of_many_that_create_it_at_once_one_wins(self, app, client):
        for _ in range(10):
            answers = at_once(app, lambda other, number: put(other, number, If_None_Match="*"))

            assert answers == {201: 1, 412: CLIENTS - 1}
            delete(client)


@pytest.fixture
def failed(client, store):
    """The path of a job that failed."""
    job_id = client.post("/jobs", json={"operation": "add", "arguments": {"value": 1, "other": 2}}).json["id"]
    fail(store, job_id)
    return f"/jobs/{job_id}"


def fail(store, job_id):
    [lease] = store.claim_these([job_id], "worker", 30.0)
    store.commit([Outcome(lease, Status.FAILED, '{"type":"KeyError","message":"x"}')])


CHANGES = [
    ("post", "{}/retry", 202),
    ("post", "{}/retry with arguments", 202),
    ("delete", "{}", 204),
]


def change(client, method, path, *, tag: str):
    body = {"arguments": {"value": 5}} if path.endswith(" with arguments") else {}
    where = path.removesuffix(" with arguments")
    return client.open(where, method=method, json=body or None, headers={"If-Match": tag})


class TestAJob:
    @pytest.mark.parametrize(("method", "path", "status"), CHANGES)
    def test_is_changed_only_in_the_version_that_its_client_has_read(self, client, failed, method, path, status):
        etag = client.get(failed).headers["ETag"]

        for wrong in ('"other"', f"W/{etag}"):
            assert refused(change(client, method, path.format(failed), tag=wrong))
        assert client.get(failed).headers["ETag"] == etag
        assert change(client, method, path.format(failed), tag=f'"other", {etag}').status_code == status

    @pytest.mark.parametrize("change", ["retry", "delete"])
    def test_that_ran_again_meanwhile_is_another_version(self, client, store, failed, monkeypatch, change):
        etag = client.get(failed).headers["ETag"]
        look, job_id = store.get, failed.removeprefix("/jobs/")
        others = iter([lambda: (store.retry(job_id), fail(store, job_id))])

        def look_and_be_overtaken(asked):
            record = look(asked)
            next(others, lambda: None)()
            return record

        monkeypatch.setattr(store, "get", look_and_be_overtaken)

        if change == "retry":
            answer = client.post(f"{failed}/retry", headers={"If-Match": etag})
        else:
            answer = delete(client, failed, If_Match=etag)

        assert refused(answer)
        assert look(job_id).retries == 1

    def test_that_waits_is_cancelled_only_in_the_version_that_its_client_has_read(self, client):
        path = client.post("/jobs", json={"operation": "add", "arguments": {"value": 1, "other": 2}}).location
        etag = client.get(path).headers["ETag"]

        assert refused(client.post(f"{path}/cancel", headers={"If-Match": '"other"'}))
        assert client.post(f"{path}/cancel", headers={"If-Match": etag}).status_code == 202
        assert refused(client.post(f"{path}/cancel", headers={"If-Match": etag}))

    def test_of_many_that_run_it_again_at_once_one_wins(self, app, client, store, failed):
        for _ in range(5):
            etag = client.get(failed).headers["ETag"]

            answers = at_once(
                app, lambda other, _, etag=etag: other.post(f"{failed}/retry", headers={"If-Match": etag})
            )

            assert answers[202] == 1
            assert answers[202] + answers[409] + answers[412] == CLIENTS
            fail(store, failed.removeprefix("/jobs/"))

    def test_that_does_not_exist_is_unknown_whatever_the_precondition(self, client):
        path = "/jobs/019a5b1e-7c7e-7d2a-9a43-5d0c8f5b1c11"

        assert client.delete(path, headers={"If-Match": "*"}).status_code == 404
        assert client.get(path, headers={"If-None-Match": "*"}).status_code == 404

    def test_is_shown_by_the_same_rules(self, client, failed):
        etag = client.get(failed).headers["ETag"]

        assert client.get(failed, headers={"If-None-Match": "*"}).status_code == 304
        assert client.head(failed, headers={"If-None-Match": f"W/{etag}"}).status_code == 304
        assert refused(client.get(failed, headers={"If-Match": '"other"'}))
        assert client.get(failed, headers={"If-Match": etag}).status_code == 200


def test_the_api_document_says_so(client):
    paths = client.get("/apispec.json").json["paths"]

    for path, method in (
        ("/schedules/{name}", "put"),
        ("/schedules/{name}", "delete"),
        ("/jobs/{job_id}", "delete"),
        ("/jobs/{job_id}/cancel", "post"),
        ("/jobs/{job_id}/retry", "post"),
    ):
        assert "If-Match" in [each.get("name") for each in paths[path][method]["parameters"]]
        assert "412" in paths[path][method]["responses"]
