"""What pages of other sites can have a browser do here, and under which names the API answers."""

import pytest

from api.app import create_app
from tests.support.api import SilentRelay
from tests.support.jobs import accepted

APP = "https://app.example.com"
JOB = {"operation": "add", "arguments": {"value": 1, "other": 2}}


@pytest.fixture
def client_of(settings, api_store):
    """Make a client of an API with other settings."""

    def make(**changes):
        return create_app(settings.model_copy(update=changes), api_store, SilentRelay()).test_client()

    return make


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
    ],
)
def test_programs_and_our_own_pages_may_submit(client, headers):
    assert client.post("/jobs", json=JOB, headers=headers).status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://localhost:3000"},
        {"Origin": "https://localhost"},
    ],
)
def test_a_page_of_another_site_can_change_nothing(client, api_store, headers):
    job_id = accepted(api_store)
    before = client.get(f"/jobs/{job_id}").json
    for method, path in (
        ("POST", "/jobs"),
        ("POST", f"/jobs/{job_id}/cancel"),
        ("POST", "/jobs/retry?status=failed"),
        ("PUT", "/schedules/nightly"),
        ("DELETE", f"/jobs/{job_id}"),
        ("POST", "/nowhere"),
    ):
        answer = client.open(path, method=method, headers=headers)

        assert (answer.status_code, answer.content_type) == (403, "application/problem+json")
        assert answer.json["type"] == "urn:errand:cross-site-refused"
        assert "Access-Control-Allow-Origin" not in answer.headers

    assert client.get(f"/jobs/{job_id}", headers=headers).json == before, "reading is harmless: the page can't see it"


def test_the_link_of_a_mail_ends_mails_from_any_page(client, api):
    link = api.extensions["errand"].links().unsubscribe("a@example.com").partition("://")[2].partition("/")[2]

    answer = client.post(f"/{link}", data={"List-Unsubscribe": "One-Click"}, headers={"Origin": "null"})

    assert answer.status_code == 200


def test_pages_of_the_public_url_may_submit_behind_a_proxy_that_changes_the_host(client_of):
    client = client_of(public_url="https://example.org/errand")

    assert client.post("/jobs", json=JOB, headers={"Origin": "https://example.org"}).status_code == 202
    assert client.post("/jobs", json=JOB, headers={"Origin": "https://example.com"}).status_code == 403


def test_without_cors_origins_no_answer_says_who_may_read_it(client):
    answer = client.get("/operations", headers={"Origin": APP})

    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_a_page_of_cors_origins_may_ask_submit_and_read(client_of):
    client = client_of(cors_origins=f"{APP}, http://[::1]:3000")
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type, idempotency-key"}

    for origin in (APP, "http://[::1]:3000"):
        preflight = client.options("/jobs", headers={"Origin": origin, **asks})
        answer = client.post("/jobs", json=JOB, headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})

        assert preflight.status_code == 200
        assert preflight.headers["Access-Control-Allow-Origin"] == origin
        assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
        allowed = preflight.headers["Access-Control-Allow-Headers"].lower()
        assert {"content-type", "idempotency-key"} <= set(allowed.split(", "))
        assert answer.status_code == 202
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "Location" in answer.headers["Access-Control-Expose-Headers"]
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://app.example.com.evil.example", "http://app.example.com", f"{APP}:8443", "null"]
)
def test_no_other_origin_may_read(client_of, origin):
    client = client_of(cors_origins=APP)

    answer = client.get("/operations", headers={"Origin": origin})

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert client.post("/jobs", json=JOB, headers={"Origin": origin}).status_code == 403


def test_an_error_can_be_read_by_a_page_of_cors_origins(client_of):
    answer = client_of(cors_origins=APP).get("/jobs/nonsense", headers={"Origin": APP})

    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (404, APP)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:5000", "[::1]:5000", "errand.example.com"])
def test_it_answers_under_its_own_names(client_of, host):
    client = client_of(public_url="https://errand.example.com")

    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_it_answers_under_no_other_name_however_often_it_is_asked(client, client_of):
    for _ in range(2):
        answer = client.get("/jobs", headers={"Host": "evil.example"})

        assert (answer.status_code, answer.content_type) == (421, "application/problem+json")
        assert "evil.example" in answer.json["detail"]
        assert "TRUSTED_HOSTS" in answer.json["detail"]
    assert client_of(trusted_hosts="evil.example").get("/jobs", headers={"Host": "evil.example"}).status_code == 200
