"""Errand at `http://…/errand`, behind a real nginx that runs `deploy/nginx.conf`: it strips the path, or keeps it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from errand.process.waiting import until
from schemas.requests import MAX_BODY_BYTES
from tests.conftest import missing
from tests.support import nginx
from tests.support.browser import open_form
from tests.support.mails import keep, letter
from tests.support.ports import free_port
from tests.support.processes import Running
from tests.support.smtp import SmtpSink
from tests.support.sse import messages
from tests.support.stack import Stack, running
from tests.support.valkey import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.timeout(120)

PROXY = "127.0.0.9"
"""The address from which nginx connects to the API; these tests connect from another one."""
SUM = {"operation": "sum", "value": 30, "other": 10}
DELAYED = {"operation": "sum", "arguments": {"value": 30, "other": 10}, "delay": 600}

WHOAMI = '''"""Says what the API knows of the client."""

from flask import Blueprint, request

whoami = Blueprint("whoami", __name__)


@whoami.get("/whoami")
def who() -> dict[str, object]:
    """Say it
    ---
    responses:
      200: {description: It.}
    """
    return {"address": request.remote_addr, "url": request.url}
'''


@dataclass(frozen=True)
class Proxied:
    """An Errand behind two proxies, which its `stack` doesn't use, and the mails that it sends."""

    stack: Stack
    url: str
    """PUBLIC_URL, at the proxy that strips the path."""
    keeping: str
    """The same path at the proxy that keeps it."""
    mails: SmtpSink

    @property
    def direct(self) -> str:
        """The address of the API's own port."""
        return self.stack.url


@pytest.fixture(scope="module")
def errand(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """An Errand for all of these tests."""
    if not nginx.binary():
        missing("nginx is not installed (apt-get install nginx-light)")
    folder, port, other = tmp_path_factory.mktemp("proxied"), free_port(), free_port()
    env = {
        "REDIS_URL": valkey.fresh_url(),
        "AMQP_URI": valkey.fresh_url(),
        "PUBLIC_URL": f"http://127.0.0.1:{port}/errand/",
        "TRUSTED_PROXIES": PROXY,
        "MAILBOX": str(folder / "mail"),
        "EXAMPLES": "examples.message_board,examples.live,whoami",
    }
    keep(folder / "mail", letter("A caught mail"))
    (folder / "whoami").mkdir()
    (folder / "whoami" / "routes.py").write_text(WHOAMI)
    with (
        SmtpSink() as sink,
        running(folder, {**env, "SMTP_URL": sink.url}) as stack,
        nginx.running(tmp_path_factory.mktemp("strips"), port, stack.port, address=PROXY),
        nginx.running(tmp_path_factory.mktemp("keeps"), other, stack.port, address=PROXY, strips=False),
    ):
        until(lambda: stack.get("/operations/primes").status_code == 200, 20, "the catalogue")
        yield Proxied(stack, f"http://127.0.0.1:{port}/errand", f"http://127.0.0.1:{other}/errand", sink)


@pytest.fixture(params=["strips", "keeps"])
def url(request: pytest.FixtureRequest, errand: Proxied) -> str:
    """The address of Errand at each proxy in turn."""
    return errand.url if request.param == "strips" else errand.keeping


@pytest.fixture
def page(browser_page: "Page", errand: Proxied) -> "Iterator[Page]":
    """The browser's page. Every request must be answered, and none may leave the public address."""
    faults: list[str] = []
    browser_page.on("response", lambda answer: faults.append(answer.url) if answer.status >= 400 else None)
    browser_page.on("pageerror", lambda error: faults.append(str(error)))
    browser_page.on(
        "request", lambda asked: None if asked.url.startswith((errand.url, errand.direct)) else faults.append(asked.url)
    )
    yield browser_page
    assert [fault for fault in faults if not fault.startswith("data:")] == []


def test_location_and_links_lead_back_through_the_proxy(url: str) -> None:
    accepted = requests.post(f"{url}/compute", json=SUM, timeout=10)

    paths = [accepted.headers["Location"], *accepted.json()["links"].values()]
    job = requests.get(urljoin(url, paths[0]), timeout=10).json()
    listed = requests.get(f"{url}/jobs", timeout=10).json()["jobs"][0]
    assert job["id"] == accepted.json()["id"]
    for path in (*paths, *job["links"].values(), *listed["links"].values()):
        assert path.startswith("/errand/jobs/")
        with requests.get(urljoin(url, path), timeout=10, stream=True) as answer:
            assert answer.status_code == 200, path


def test_what_redirects_leads_to_the_public_address(url: str) -> None:
    for address in (url, f"{url}/", f"{url}/apidocs/index.html"):
        answer = requests.get(address, timeout=10)

        assert (answer.status_code, answer.url) == (200, f"{url}/apidocs")


def test_a_stream_passes_the_proxy_while_its_job_waits(url: str) -> None:
    accepted = requests.post(f"{url}/jobs", json=DELAYED, timeout=10).json()

    with requests.get(urljoin(url, accepted["links"]["events"]), timeout=10, stream=True) as answer:
        first = next(each for each in messages(answer.iter_content(None)) if each.data)

    assert first.data["id"] == accepted["id"]
    assert requests.post(urljoin(url, accepted["links"]["self"] + "/cancel"), timeout=10).status_code == 202


def test_the_client_is_the_one_that_the_proxy_saw_whatever_the_client_says(errand: Proxied, url: str) -> None:
    lies = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Host": "evil.example", "Forwarded": "for=203.0.113.7"}
    lies |= {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Proto": "https"}

    asked = requests.get(f"{url}/whoami", headers=lies, timeout=10).json()

    assert asked == {"address": "127.0.0.1", "url": f"{url}/whoami"}
    direct = requests.get(f"{errand.direct}/whoami", headers=lies, timeout=10).json()
    assert direct == {"address": "127.0.0.1", "url": f"{errand.direct}/errand/whoami"}


def test_too_large_a_body_is_refused_as_the_api_refuses_it(errand: Proxied, url: str) -> None:
    body = b" " * (MAX_BODY_BYTES + 1)
    kind = {"Content-Type": "application/json"}

    refused = requests.post(f"{url}/compute", data=body, headers=kind, timeout=10)

    own = requests.post(f"{errand.direct}/compute", data=body, headers=kind, timeout=10)
    title = {"title": "Content Too Large"}  # Python 3.13 gave the status this name
    assert (refused.status_code, refused.json()) == (own.status_code, own.json() | title)
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_a_problem_of_the_api_passes_the_proxy_as_it_is(url: str) -> None:
    refused = requests.post(f"{url}/compute", json={**SUM, "value": "x" * (MAX_BODY_BYTES - 1000)}, timeout=10)

    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_a_result_is_downloaded_by_the_link_in_its_mail(errand: Proxied) -> None:
    job_id = errand.stack.submit("primes", {"n": 1000}, email="reader@email.com")
    job = errand.stack.finished(job_id)

    mail = until(lambda: errand.mails.to("reader@email.com"), 20, "a mail")[0]

    assert requests.get(f"{link_in(mail.text, errand)}/json", timeout=10).json() == job["result"]


def test_the_page_behind_a_mail_has_its_styles_and_follows_its_job(errand: Proxied, page: "Page") -> None:
    accepted = errand.stack.post("/jobs", {**DELAYED, "email": "watcher@email.com"}).json()
    mail = until(lambda: errand.mails.to("watcher@email.com"), 20, "a mail")[0]

    with page.expect_response(re.compile("/events$")):
        page.goto(link_in(mail.text, errand))
    plain = page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor") == "rgba(0, 0, 0, 0)"
    errand.stack.post(f"/jobs/{accepted['id']}/cancel")

    page.get_by_role("heading", name=re.compile("cancelled", re.IGNORECASE)).wait_for()
    assert not plain


def link_in(text: str, errand: Proxied) -> str:
    """Find the link to its job in a mail."""
    found = re.search(rf"{re.escape(errand.url)}/view/[\w.-]+", text)
    assert found, text
    return found[0]


def test_the_documentation_runs_an_operation_through_the_proxy_and_on_the_port(errand: Proxied, page: "Page") -> None:
    for url in (errand.url, errand.direct):
        form = open_form(page, url, "/operations/primes")

        assert form.execute() == "202"
        assert "/errand/jobs/" in form.answer.inner_text()

    assert errand.stack.get("/apispec.json").json()["servers"] == [{"url": errand.url}]


def test_the_mailbox_shows_its_mails(errand: Proxied, page: "Page") -> None:
    page.goto(f"{errand.url}/mailbox")
    page.get_by_text("A caught mail").click()

    page.locator("#panel").get_by_text("The text.").wait_for()
    page.get_by_role("link", name="API", exact=True).click()
    page.wait_for_url(f"{errand.url}/apidocs")


def test_the_examples_pages_work(errand: Proxied, page: "Page") -> None:
    page.goto(f"{errand.url}/board")
    page.get_by_label("Your message").fill("Through a proxy")
    page.get_by_role("button", name="Write").click()
    page.locator("#messages").get_by_text("Through a proxy").wait_for()

    page.goto(f"{errand.url}/live")
    page.get_by_text("Live", exact=True).wait_for()
    page.get_by_role("button", name="Add 30 and 10").click()
    page.locator("#jobs [data-status=succeeded] a[href^='/errand/jobs/']").first.wait_for()


def test_the_port_itself_goes_on_to_answer(errand: Proxied) -> None:
    """As the health checks and other services use it."""
    accepted = requests.post(f"{errand.direct}/compute", json=SUM, timeout=10)

    job = requests.get(urljoin(errand.direct, accepted.headers["Location"]), timeout=10)
    assert job.json()["id"] == accepted.json()["id"]
    assert requests.get(f"{errand.direct}/readyz", timeout=10).status_code == 200
    assert urlsplit(errand.direct).port == errand.stack.port


def test_a_public_path_that_is_the_apis_own_stops_the_start(tmp_path: Path) -> None:
    env = {"PUBLIC_URL": "https://example.org/jobs", "PORT": str(free_port())}
    api = Running.module("api", log=tmp_path / "log", env=env, cwd=tmp_path)

    api.start()

    assert api.process.wait(30) == 2
    assert api.output() == (
        "errand: PUBLIC_URL: the API has paths of its own that begin with /jobs; choose another path, such as /errand\n"
    )
