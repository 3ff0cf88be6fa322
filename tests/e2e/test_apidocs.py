"""The documentation page in a real browser: it works, it stays on this host, and it fits a phone."""

from collections.abc import Iterator

import pytest

from tests.support.ports import free_port
from tests.support.stack import running
from tests.support.valkey import Server

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def api_url(valkey: Server, tmp_path_factory) -> Iterator[str]:
    """The address of one API for all of these tests. No worker is there and no broker, which the page must not mind."""
    away = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": f"amqp://127.0.0.1:{free_port()}"}
    with running(tmp_path_factory.mktemp("apidocs"), away, lambda stack: stack.api.start()) as stack:
        yield stack.url


@pytest.fixture
def told(browser_page):
    """What the browser complains about, and every address it asks for."""
    notes = {"complaints": [], "addresses": []}
    browser_page.on("console", lambda line: _note(notes, line) if line.type in {"error", "warning"} else None)
    browser_page.on("pageerror", lambda error: notes["complaints"].append(str(error)))
    browser_page.on("requestfailed", lambda request: notes["complaints"].append(f"failed: {request.url}"))
    browser_page.on("request", lambda request: notes["addresses"].append(request.url))
    return notes


def test_the_page_shows_every_group_without_a_complaint_and_asks_no_other_host(api_url, browser_page, told):
    browser_page.goto(f"{api_url}/")
    browser_page.wait_for_selector("[data-path='/compute']")

    assert browser_page.url == f"{api_url}/apidocs"
    assert browser_page.locator(".opblock-tag-section").count() == 3
    assert told["complaints"] == []
    assert [address for address in told["addresses"] if not _stays(address, api_url)] == []


@pytest.mark.parametrize("parameter", ["url", "configUrl"])
def test_another_document_named_in_the_address_is_not_looked_at(api_url, browser_page, told, parameter):
    elsewhere = f"http://127.0.0.1:{free_port()}/evil.json"

    browser_page.goto(f"{api_url}/apidocs?{parameter}={elsewhere}")
    browser_page.wait_for_selector(".info .title")

    assert "Errand" in browser_page.locator(".info .title").inner_text()
    assert [address for address in told["addresses"] if address.startswith(elsewhere)] == []
    assert told["complaints"] == []


def test_try_it_out_posts_the_prefilled_job_and_shows_that_it_was_accepted(api_url, browser_page, told):
    compute = _open_compute(browser_page, api_url)

    compute.locator("button.execute").click()
    answer = compute.locator(".live-responses-table .response")
    answer.wait_for()

    assert answer.locator(".response-col_status").inner_text().startswith("202")
    assert "Please wait the calculation" in answer.inner_text()
    assert told["complaints"] == []


def test_the_page_fits_a_phone(api_url, browser_page, told):
    browser_page.set_viewport_size({"width": 375, "height": 740})

    compute = _open_compute(browser_page, api_url)
    compute.locator("button.execute").click()
    compute.locator(".live-responses-table .response").wait_for()

    widths = browser_page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1] == 375
    assert told["complaints"] == []


def test_a_script_that_gets_into_the_page_does_not_run(api_url, browser_page):
    browser_page.goto(f"{api_url}/apidocs")
    browser_page.wait_for_selector(".info .title")

    browser_page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.gotIn = true";
            document.body.append(script);
        }"""
    )

    assert browser_page.evaluate("window.gotIn") is None


def _open_compute(page, api_url):
    page.goto(f"{api_url}/apidocs")
    compute = page.locator(".opblock", has=page.locator("[data-path='/compute']"))
    compute.locator(".opblock-summary").click()
    compute.locator("button.execute").wait_for()
    return compute


def _note(notes, line):
    notes["complaints"].append(f"{line.type}: {line.text}")


def _stays(address, api_url):
    return address.startswith((f"{api_url}/", "data:", "blob:"))
