"""`webhook_url`: what is stored, what is refused at its place, and where it is shown."""

import pytest

from api.app import create_app
from errand.settings import Settings
from errand.trust.signing import new_secret
from schemas.webhooks import MAX_LENGTH

URL = "https://example.com/hook"
CRON = {"cron": "0 6 * * *", "operation": "anything"}


@pytest.fixture
def settings(redis_url, key_prefix):
    """Settings with a secret, and with one network of the operator's own."""
    return Settings(
        _env_file=None,
        redis_url=redis_url,
        key_prefix=key_prefix,
        webhook_secret=new_secret(),
        guard_allow="10.1.0.0/16",
    )


def post(client, url, path="/jobs"):
    return client.post(path, json={"operation": "anything", "webhook_url": url})


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "http://example.com",
        "HTTP://example.com".lower(),
        "https://example.com:8443/a/b?c=d&e=f%20g",
        "https://example.com?x",
        "https://hooks_1.a-b.example/(~user)/;v=1,2!$&'*+=:@",
        "http://1.1.1.1:80/",
        "http://10.1.2.3:65535/",
        "https://xn--bcher-kva.example/",
        "https://example.com/" + "x" * (MAX_LENGTH - 20),
    ],
)
def test_a_webhook_is_stored_with_its_job_and_shown(client, api_store, url):
    answer = post(client, url)

    assert answer.status_code == 202, answer.text
    assert api_store.accepted[0]["webhook_url"] == url
    job = client.get(answer.headers["Location"]).json
    assert job["webhook_url"] == url
    assert job["notifications"] == [], "there is no receipt by webhook"


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://straße.example/hook", "https://xn--strae-oqa.example/hook"),
        ("https://βόλος.example:8443/?a=b:c", "https://xn--nxasmm1c.example:8443/?a=b:c"),
        ("http://Bücher.example", "http://xn--bcher-kva.example"),
        ("http://例え。テスト/", "http://xn--r8jz45g.xn--zckzah/"),
    ],
)
def test_an_international_host_is_stored_as_dns_has_it(client, api_store, url, stored):
    assert post(client, url).status_code == 202
    assert api_store.accepted[0]["webhook_url"] == stored


@pytest.mark.parametrize(
    "host", ["xn--ü", "a\u0301\u200d", "\u2488a.example", "ü" * 64, "１２７.0.0.1", "ⅼocalhost", "💥" * 70]
)
def test_an_international_host_that_is_none_or_not_public_is_refused(client, api_store, host):
    assert post(client, f"https://{host}/").status_code == 422
    assert not api_store.accepted


def test_without_a_webhook_none_is_shown(client):
    answer = client.post("/jobs", json={"operation": "anything", "webhook_url": None})

    assert client.get(answer.headers["Location"]).json["webhook_url"] is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com:6379/_x",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com#fragment",
        "https://example.com/#",
        "https://example.com:22/",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:/",
        "https://example.com\\@evil.example/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/%",
        "https://example.com/?%zz",
        "https://example.com/\n",
        "https://example.com\n",
        "https://example.com/\r\nX: y",
        "https://-example.com/",
        "https://example..com/",
        "https://.example.com/",
        "https://[::1]/",
        "https://[::1",
        "https://example.com/ü",
        "https://" + "a" * 64 + ".example/",
        "https://example.com/" + "x" * (MAX_LENGTH - 19),
        3,
        ["https://example.com/"],
    ],
    ids=lambda url: str(url)[:40],
)
def test_an_address_that_is_not_plain_is_refused(client, api_store, url):
    answer = post(client, url)

    assert answer.status_code == 422, answer.text
    assert [fault["pointer"] for fault in answer.json["errors"]] == ["/webhook_url"]
    assert api_store.accepted == []


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "api.localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0",
        "10.2.0.1",
        "169.254.169.254",
    ],
)
def test_an_address_that_is_plainly_not_public_is_refused_before_anything_is_stored(client, api_store, host):
    answer = post(client, f"http://{host}/")

    assert answer.status_code == 422
    [fault] = answer.json["errors"]
    assert "not on the public internet" in fault["detail"]
    assert api_store.accepted == []


def test_each_body_that_may_have_an_email_may_have_a_webhook_and_is_refused_at_its_place(client):
    wrong = {"webhook_url": "http://127.0.0.1/"}
    batch = client.post(
        "/jobs/batch", json={"jobs": [{"operation": "anything"}, {"operation": "anything", **wrong}]}
    ).json
    own = client.post("/operations/anything", json=wrong)
    schedule = client.put("/schedules/nightly", json=CRON | wrong)

    assert (batch["accepted"], batch["rejected"]) == (1, 1)
    assert batch["jobs"][1]["error"]["errors"][0]["pointer"] == "/jobs/1/webhook_url"
    for answer in (own, schedule):
        assert answer.status_code == 422
        assert answer.json["errors"][0]["pointer"] == "/webhook_url"


def test_a_schedule_keeps_its_webhook_and_shows_it(client):
    assert client.put("/schedules/nightly", json=CRON | {"webhook_url": URL}).json["webhook_url"] == URL
    assert client.get("/schedules/nightly").json["webhook_url"] == URL
    assert client.put("/schedules/other", json=CRON).json["webhook_url"] is None


def test_another_webhook_makes_it_another_job_for_its_idempotency_key(client):
    sent = [
        client.post("/jobs", json={"operation": "anything", "webhook_url": url}, headers={"Idempotency-Key": "k"})
        for url in (URL, URL, URL + "2")
    ]

    assert [answer.status_code for answer in sent] == [202, 202, 422]
    assert sent[1].headers["Idempotent-Replayed"] == "true"


def test_compute_takes_none(client):
    answer = client.post("/compute", json={"operation": "sum", "value": 1, "other": 2, "webhook_url": URL})

    assert answer.status_code == 422
    assert "is not a known field" in answer.json["errors"][0]["detail"]


def test_without_a_secret_a_webhook_is_refused_with_a_sentence_that_says_so(settings, api_store, doorbells):
    bare = settings.model_copy(update={"webhook_secret": Settings.model_fields["webhook_secret"].default})
    client = create_app(bare, api_store, doorbells).test_client()

    answers = [
        post(client, URL),
        client.post("/operations/anything", json={"webhook_url": URL}),
        client.put("/schedules/nightly", json=CRON | {"webhook_url": URL}),
    ]

    for answer in answers:
        assert answer.status_code == 422
        [fault] = answer.json["errors"]
        assert (fault["pointer"], "WEBHOOK_SECRET is not set" in fault["detail"]) == ("/webhook_url", True)
    assert api_store.accepted == []


def test_the_document_describes_it_as_an_address(client):
    schemas = client.get("/apispec.json").json["components"]["schemas"]

    described = schemas["AnythingJobRequest"]["properties"]["webhook_url"]
    assert (described["format"], described["maxLength"]) == ("iri", MAX_LENGTH)


def test_a_cancelled_job_rings_for_its_webhook_and_a_mailed_one_for_its_mail(client, api_store, doorbells):
    hooked = client.post("/jobs", json={"operation": "anything", "webhook_url": URL, "delay": 60}).json["id"]
    mailed = client.post("/jobs", json={"operation": "anything", "email": "name@email.com", "delay": 60}).json["id"]
    doorbells.rung.clear()

    for job_id in (hooked, mailed):
        assert client.post(f"/jobs/{job_id}/cancel").status_code == 202

    assert doorbells.rung == [(hooked, "webhooks"), (mailed, "mail")]
