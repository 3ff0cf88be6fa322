"""The documentation page in a real browser: it works, it stays on this host, and it fits a phone.

Each test leaves a picture of the page as it was at its end in its folder of `--basetemp`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from api.docs.names import pascal
from errand.process.waiting import until
from tests.support.browser import Form, open_form
from tests.support.ports import free_port
from tests.support.stack import Stack, running
from tests.support.valkey import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.timeout(120)

PHONE = {"width": 375, "height": 740}
Told = dict[str, list[str]]


@pytest.fixture(scope="module")
def errand(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An Errand for all of these tests, with workers."""
    servers = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": valkey.fresh_url()}
    with running(tmp_path_factory.mktemp("apidocs"), servers) as stack:
        until(lambda: stack.get("/operations/primes").status_code == 200, 20, "the catalogue")
        yield stack


@pytest.fixture
def api_url(errand: Stack) -> str:
    """The address of its API."""
    return errand.url


@pytest.fixture
def page(browser_page: "Page", tmp_path: Path) -> "Iterator[Page]":
    """The browser's page, of which a picture is taken at the end."""
    yield browser_page
    browser_page.screenshot(path=tmp_path / "page.png", full_page=True)


@pytest.fixture
def told(page: "Page") -> Told:
    """What the browser complains about, and every address it asks for."""
    notes: Told = {"complaints": [], "addresses": []}
    page.on("console", lambda line: _note(notes, line) if line.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: notes["complaints"].append(str(error)))
    page.on("requestfailed", lambda request: notes["complaints"].append(f"failed: {request.url}"))
    page.on("request", lambda request: notes["addresses"].append(request.url))
    return notes


def test_the_page_shows_every_group_without_a_complaint_and_asks_no_other_host(
    errand: Stack, page: "Page", told: Told
) -> None:
    page.goto(f"{errand.url}/")
    page.wait_for_selector(".opblock-post [data-path='/operations/primes']")

    assert page.url == f"{errand.url}/apidocs"
    tags = [tag["name"] for tag in errand.get("/apispec.json").json()["tags"]]
    assert _groups(page) == tags
    assert {"jobs", "operations", "schedules", "health", "documentation"} <= set(tags)
    assert told["complaints"] == []
    assert [address for address in told["addresses"] if not _stays(address, errand.url)] == []


def test_the_page_lists_each_operation_once(errand: Stack, page: "Page") -> None:
    page.goto(f"{errand.url}/apidocs")
    page.wait_for_selector(".opblock-post [data-path='/operations/primes']")

    names = [operation["name"] for operation in errand.get("/operations").json()["operations"]]
    shown = [row.get_attribute("data-path") for row in page.locator("[data-path^='/operations/']:visible").all()]
    assert [path for path in shown if path != "/operations/{name}"] == [f"/operations/{name}" for name in sorted(names)]


def test_the_page_is_there_while_workers_and_broker_are_not(
    api_url: str, valkey: Server, tmp_path: Path, page: "Page", told: Told
) -> None:
    away = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": f"amqp://127.0.0.1:{free_port()}"}
    with running(tmp_path, away, lambda stack: stack.api.start()) as alone:
        compute = open_form(page, alone.url, "/compute")

        assert compute.execute().startswith("202")
        assert told["complaints"] == []


@pytest.mark.parametrize("parameter", ["url", "configUrl"])
def test_another_document_named_in_the_address_is_not_looked_at(
    api_url: str, page: "Page", told: Told, parameter: str
) -> None:
    elsewhere = f"http://127.0.0.1:{free_port()}/evil.json"

    page.goto(f"{api_url}/apidocs?{parameter}={elsewhere}")
    page.wait_for_selector(".info .title")

    assert "Errand" in page.locator(".info .title").inner_text()
    assert [address for address in told["addresses"] if address.startswith(elsewhere)] == []
    assert told["complaints"] == []


def test_the_document_is_asked_for_at_each_visit_but_sent_only_when_it_has_changed(errand: Stack, page: "Page") -> None:
    page.goto(f"{errand.url}/apidocs")
    page.wait_for_selector(".opblock-post [data-path='/operations/primes']")
    etag = errand.get("/apispec.json").headers["ETag"]

    with page.expect_request("**/apispec.json") as asked:
        page.reload()

    assert asked.value.all_headers()["if-none-match"] == etag
    assert errand.get("/apispec.json", headers={"If-None-Match": etag}).status_code == 304


def test_try_it_out_posts_the_prefilled_job_and_shows_that_it_was_accepted(
    api_url: str, page: "Page", told: Told
) -> None:
    compute = open_form(page, api_url, "/compute")

    assert compute.execute().startswith("202")
    assert "Please wait the calculation" in compute.answer.inner_text()
    assert told["complaints"] == []


@pytest.mark.parametrize("path", ["/jobs", "/jobs/batch", "/operations/primes", "/operations/csv_summary"])
def test_a_body_is_shown_whole(api_url: str, page: "Page", path: str) -> None:
    form = open_form(page, api_url, path)

    heights = form.body.evaluate("field => [field.scrollHeight, field.clientHeight]")
    assert heights[0] <= heights[1]


def test_the_schema_of_any_job_is_a_choice_among_the_operations(errand: Stack, page: "Page") -> None:
    names = [operation["name"] for operation in errand.get("/operations").json()["operations"]]
    titles = open_form(page, errand.url, "/jobs").schema().locator(".model-title__text")

    titles.nth(len(names)).wait_for()
    assert titles.all_inner_texts() == ["JobRequest", *(f"{pascal(name)}JobRequest" for name in sorted(names))]


def test_a_form_can_be_sent_with_the_keyboard_alone(api_url: str, page: "Page", told: Told) -> None:
    # given the page, and the keyboard at the row of an operation
    page.goto(f"{api_url}/apidocs#/")
    form = Form.at(page, "/operations/primes")
    form.summary.focus()

    # when it is opened and the next stops are visited
    page.keyboard.press("Enter")
    form.button.wait_for()
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if form.button.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")

    # then one of them was the button, and it has been pressed
    form.answer.wait_for()
    assert form.status().startswith("202")
    assert told["complaints"] == []


def test_the_stream_of_a_job_is_shown_when_it_has_ended(errand: Stack, page: "Page", told: Told) -> None:
    job_id = errand.compute("sum")
    errand.finished(job_id)
    form = open_form(page, errand.url, "/jobs/{job_id}/events", "get")
    form.field("job_id").fill(job_id)

    assert form.execute().startswith("200")
    assert '"status":"succeeded"' in form.answer.inner_text()
    assert told["complaints"] == []


def test_of_the_stream_without_an_end_the_beginning_is_shown(errand: Stack, page: "Page", told: Told) -> None:
    form = open_form(page, errand.url, "/events", "get")

    with page.expect_response("**/events"):
        form.button.click()
    job_id = errand.compute("mul")
    form.answer.wait_for()

    assert form.status().startswith("200")
    assert job_id in form.answer.inner_text()
    assert "curl -N" in form.answer.inner_text()
    assert [complaint for complaint in told["complaints"] if not complaint.endswith("/events")] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/compute"),
        ("post", "/jobs"),
        ("post", "/operations/csv_summary"),
        ("get", "/jobs"),
        ("get", "/jobs/{job_id}/events"),
        ("put", "/schedules/{name}"),
    ],
)
def test_the_page_fits_a_phone(api_url: str, page: "Page", told: Told, method: str, path: str) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a plain dict is its TypedDict

    form = open_form(page, api_url, path, method)
    if "{" not in path:
        form.execute()

    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1] == PHONE["width"]
    assert told["complaints"] == []


def test_the_buttons_of_an_edited_form_fit_a_phone(api_url: str, page: "Page") -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a plain dict is its TypedDict
    form = open_form(page, api_url, "/compute")

    form.body.fill('{"operation":"sum","value":1,"other":2}')

    for name in ("Cancel", "Reset"):
        box = form.block.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= PHONE["width"]


def test_the_types_of_arguments_fit_a_phone(api_url: str, page: "Page") -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a plain dict is its TypedDict

    schema = open_form(page, api_url, "/operations/csv_summary").schema()

    assert "CSV text, up to 1 MiB." in schema.inner_text()
    widths = schema.evaluate("box => [box.scrollWidth, box.clientWidth]")
    assert widths[0] <= widths[1]


def test_a_script_that_gets_into_the_page_does_not_run(api_url: str, page: "Page") -> None:
    page.goto(f"{api_url}/apidocs")
    page.wait_for_selector(".info .title")

    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.gotIn = true";
            document.body.append(script);
        }"""
    )

    assert page.evaluate("window.gotIn") is None


def _groups(page: "Page") -> list[str | None]:
    return [group.get_attribute("data-tag") for group in page.locator(".opblock-tag").all()]


def _note(notes: Told, line: Any) -> None:
    notes["complaints"].append(f"{line.type}: {line.text}")


def _stays(address: str, api_url: str) -> bool:
    return address.startswith((f"{api_url}/", "data:", "blob:"))


def test_the_address_in_the_tutorials_shows_the_page(errand: Stack) -> None:
    answer = errand.get("/apidocs/index.html")

    assert (answer.status_code, answer.url) == (200, f"{errand.url}/apidocs")
