"""Pages of other sites, in a real browser: only those of CORS_ORIGINS can submit jobs and read answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.ports import LOCALHOST
from tests.support.stack import Stack, running
from tests.support.valkey import Server
from tests.support.web import WebServer, plain

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.timeout(120)

SUBMIT = """async ([url, headers]) => {
  const body = JSON.stringify({operation: "sum", arguments: {value: 30, other: 10}});
  try {
    const answer = await fetch(`${url}/jobs`, {method: "POST", headers, body});
    const location = answer.headers.get("Location");
    return [answer.status, (await (await fetch(new URL(location, url))).json()).operation];
  } catch (fault) {
    return fault.name;
  }
}"""
FORM = """(url) => {
  document.body.innerHTML = `<form method="post" enctype="text/plain" action="${url}">
    <input name='{"operation": "sum", "arguments": {"value": 1, "other": 2}, "tags": ["' value='"]}'></form>`;
  document.forms[0].submit();
}"""
JSON = {"Content-Type": "application/json", "Idempotency-Key": "one"}


@pytest.fixture
def friend() -> Iterator[WebServer]:
    """A site whose pages may call the API."""
    with WebServer(plain(b"<title>friend</title>", "Content-Type: text/html")) as server:
        yield server


@pytest.fixture
def stranger() -> Iterator[WebServer]:
    """A site whose pages may not."""
    with WebServer(plain(b"<title>stranger</title>", "Content-Type: text/html")) as server:
        yield server


@pytest.fixture
def errand(valkey: Server, tmp_path: Path, friend: WebServer) -> Iterator[Stack]:
    """An API and workers that know the friend."""
    servers = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": valkey.fresh_url(), "MAIL_ENABLED": "false"}
    with running(tmp_path, {**servers, "CORS_ORIGINS": origin(friend)}) as stack:
        yield stack


def origin(site: WebServer) -> str:
    return f"http://{LOCALHOST}:{site.port}"


def submitted(page: "Page", site: WebServer, stack: Stack, headers: dict[str, str]) -> Any:
    """Open a page of the site, and have it submit a job."""
    page.goto(f"{origin(site)}/")
    return page.evaluate(SUBMIT, [stack.url, headers])


def test_only_pages_of_cors_origins_can_submit_and_read(
    errand: Stack, friend: WebServer, stranger: WebServer, browser_page: "Page"
) -> None:
    assert submitted(browser_page, friend, errand, JSON) == [202, "sum"]

    before = errand.count("succeeded") + errand.count("accepted") + errand.count("running")
    assert submitted(browser_page, stranger, errand, JSON) == "TypeError", "the browser asks first, and is told no"
    assert submitted(browser_page, stranger, errand, {"Content-Type": "text/plain"}) == "TypeError"
    with browser_page.expect_response(f"{errand.url}/jobs/retry?status=failed") as refusal:
        browser_page.evaluate(FORM, f"{errand.url}/jobs/retry?status=failed")
    assert refusal.value.status == 403, "a form needs no permission of the browser"
    assert errand.count("succeeded") + errand.count("accepted") + errand.count("running") == before == 1
