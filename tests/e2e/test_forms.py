"""Swagger UI on a fresh `make run`: every form can be sent as it opens, and shows, sends and repeats JSON exactly."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.support.browser import Form, open_form
from tests.support.look import CONTRASTS, DESKTOP, LEAST_CONTRAST, PHONE
from tests.support.ports import LOCALHOST, free_port
from tests.support.processes import Running

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.timeout(180)

SEND_ALL = """async () => {
    const { specSelectors, layoutActions } = ui.getSystem();
    const until = async (what, found) => {
        for (let times = 0; times < 400; times += 1) {
            const value = found();
            if (value) return value;
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error(`${what} did not come`);
    };
    const answers = [];
    for (const group of [...specSelectors.taggedOperations().values()]) {
        for (const operation of group.get("operations")) {
            const [path, method] = [operation.get("path"), operation.get("method")];
            const name = `${method} ${path}`;
            layoutActions.updateFilter(name);  // a page with few operations is quick
            const block = await until(name, () => [...document.querySelectorAll(`.opblock-${method}`)].find(
                (each) => each.querySelector("[data-path]").dataset.path === path));
            if (getComputedStyle(block).display === "none") continue;  // an operation's own path is shown by its POST
            const summary = block.querySelector(".opblock-summary-control");
            summary.click();
            (await until(`the button of ${name}`, () => block.querySelector("button.execute"))).click();
            const status = until(`the answer to ${name}`, () => specSelectors.responseFor(path, method)?.get("status"));
            answers.push([name, status.catch(String)]);
            const isEndless = name.endsWith("events") && !name.includes("{") && method === "get";
            if (!isEndless) {
                await answers.at(-1)[1];
                summary.click();
            }
        }
    }
    return Promise.all(answers.map(async ([name, status]) => [name, await status]));
}"""


BODIES = (
    """{
  "operation": "sum",
  "arguments": {"value": 9007199254740993, "other": 1.0}
}""",
    r"""{"operation": "csv_summary", "arguments": {
  "text": "name,\u00e9\n' \" \\ $HOME `date`,\ud83d\ude00 \u2028\n"
}, "tags": []}""",
)
"""Bodies that a program may change: numbers that a double can't hold, 1.0; and what a shell or Python would expand."""


@pytest.fixture(scope="module")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of what `make run` starts; the first test finds it without a job."""
    port, folder = free_port(), tmp_path_factory.mktemp("forms")
    run = Running.module("errand.embedded.run", log=folder / "run.log", env={"PORT": str(port)}, cwd=folder)
    run.ready = lambda: "errand: ready" in run.output()
    try:
        run.start()
        yield f"http://{LOCALHOST}:{port}"
    finally:
        run.stop()


@pytest.fixture
def page(make_run: str, browser_page: "Page") -> "Page":
    """The page with all operations."""
    browser_page.goto(f"{make_run}/apidocs")
    browser_page.wait_for_selector(".opblock-post [data-path='/operations/sum']")
    return browser_page


def paths_of(page: "Page") -> set[str | None]:
    """Return the paths that the page shows."""
    return {row.get_attribute("data-path") for row in page.locator("[data-path]:visible").all()}


def test_every_form_can_be_sent_as_it_opens(make_run: str, browser_page: "Page") -> None:
    complaints: list[str] = []
    browser_page.on("pageerror", lambda error: complaints.append(str(error)))
    browser_page.goto(f"{make_run}/apidocs?examples=true")
    browser_page.wait_for_selector(".opblock-post [data-path='/operations/sum']")

    answers = browser_page.evaluate(SEND_ALL)

    assert len(answers) > 60
    assert [(name, status) for name, status in answers if status not in {200, 201, 202, 204}] == []
    assert complaints == []


def test_a_form_that_deletes_never_opens_with_somebodys_job(make_run: str, page: "Page") -> None:
    body = {"operation": "sum", "arguments": {"value": 1, "other": 2}}
    own = requests.post(f"{make_run}/jobs", json=body, timeout=10).json()["id"]

    form = open_form(page, make_run, "/jobs/{job_id}", "delete")
    assert form.field("job_id").input_value() == ""

    assert form.execute().startswith("204")
    assert form.field("job_id").input_value() not in {"", own}
    assert requests.get(f"{make_run}/jobs/{own}", timeout=10).status_code == 200


def test_a_form_that_reads_opens_with_the_newest_job(make_run: str, page: "Page") -> None:
    body = {"operation": "sum", "arguments": {"value": 9007199254740993, "other": 1.0}}
    newest = requests.post(f"{make_run}/jobs", json=body, headers={"Prefer": "wait=10"}, timeout=15).json()["id"]

    form = open_form(page, make_run, "/jobs/{job_id}", "get")
    page.wait_for_function("id => document.querySelector('[data-param-name=job_id] input').value === id", arg=newest)

    # and its answer is shown as it came, not as JavaScript would write it again
    assert form.execute().startswith("200")
    assert '"value": 9007199254740993,' in form.answer.inner_text()
    assert '"other": 1.0' in form.answer.inner_text()


@pytest.mark.parametrize("body", BODIES)
def test_the_samples_submit_the_same_job_as_the_form(
    make_run: str, page: "Page", body: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # given a form that was sent exactly as it is written
    form = open_form(page, make_run, "/jobs")
    form.body.fill(body)
    with page.expect_request("**/jobs") as sent:
        assert form.execute().startswith("202")
    assert sent.value.post_data == body

    # when each sample is run as it stands
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    subprocess.run(["sh", "-c", sample(form, "curl")], check=True, timeout=30)
    (tmp_path / "sample.py").write_text(sample(form, "Python"), encoding="utf-8")
    subprocess.run([sys.executable, tmp_path / "sample.py"], check=True, timeout=30)
    page.evaluate(f"(async () => {{ {sample(form, 'JavaScript')} }})()")

    # then each says that its job was accepted, and all four jobs have the same arguments, digit for digit
    assert capfd.readouterr().out.count('"status":"accepted"') == 2
    assert said[0] == "202"
    ids = [job["id"] for job in requests.get(f"{make_run}/jobs?limit=4", timeout=10).json()["jobs"]]
    reports = [requests.get(f"{make_run}/jobs/{job_id}", timeout=10).json(parse_float=str) for job_id in ids]
    assert [report["arguments"] for report in reports] == [json.loads(body, parse_float=str)["arguments"]] * 4


def sample(form: Form, language: str) -> str:
    """Return the sample in one language."""
    form.block.get_by_role("tab", name=language, exact=True).click()
    return form.block.locator(".samples pre").inner_text()


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[ ]",
        '"a"',
        '{"a":{},"b":[],"c":[1,[2,{"d":null}]]}',
        '{"10":1,"9":2,"__proto__":3}',
        '{"a":9007199254740993,"b":1.0,"c":-0,"d":1e999,"a":2}',
        r'["{[,:]}","\\",  "\"", "\u00e9"]',
    ],
)
def test_json_is_indented_without_a_change(page: "Page", text: str) -> None:
    shown = page.evaluate("text => indentedJson(text)", text)

    # with pairs in their order, and numbers as they are written
    pairs = [json.loads(each, object_pairs_hook=list, parse_int=str, parse_float=str) for each in (text, shown)]
    assert pairs[0] == pairs[1]
    assert shown.count("\n") >= text.count(",")


def test_an_example_of_the_document_is_shown_digit_for_digit(make_run: str, page: "Page") -> None:
    example = '{"operation":"sum","value":9007199254740993,"other":1.0,"10":1e2,"9":-0}'
    document = requests.get(f"{make_run}/apispec.json", timeout=10).text
    changed = document.replace('{"operation":"sum","value":30,"other":10,"email":"name@email.com"}', example)
    assert changed != document
    page.route("**/apispec.json", lambda route: route.fulfill(body=changed, content_type="application/json"))

    form = open_form(page, make_run, "/compute")

    assert "".join(form.body.input_value().split()) == example


def test_what_is_not_json_is_shown_as_it_is(page: "Page") -> None:
    for text in ("", "{", "{'a': 1}", "NaN", "[1,]", "plain"):
        assert page.evaluate("text => indentedJson(text)", text) == text


def test_the_search_finds_by_method_path_and_text(make_run: str, page: "Page") -> None:
    everything = paths_of(page)

    page.keyboard.press("/")
    page.keyboard.type("POST notifications/RETRY")
    page.get_by_text("1 found", exact=True).wait_for()
    assert paths_of(page) == {"/jobs/{job_id}/notifications/retry"}
    page.get_by_label("Search operations").fill("job cancel a")
    page.wait_for_selector("[data-path='/jobs/{job_id}/cancel']")

    page.get_by_label("Search operations").fill("nothing-has-this")
    page.get_by_text("No operation has all of these words.").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_selector("[data-path='/healthz']")
    assert paths_of(page) == everything


def test_the_examples_are_a_section_at_the_end_once_they_are_asked_for(make_run: str, page: "Page") -> None:
    assert page.locator("[data-tag^='examples.']").count() == 0

    page.get_by_label("Show examples").click()
    page.wait_for_selector(".examples-title")
    groups = [str(group.get_attribute("data-tag")) for group in page.locator(".opblock-tag").all()]
    assert groups == sorted(groups, key=lambda name: name.startswith("examples."))
    assert "examples=true" in page.url

    # they are remembered, until they are switched off
    page.goto(f"{make_run}/apidocs")
    page.wait_for_selector(".examples-title")
    page.get_by_label("Show examples").click()
    page.locator(".examples-title").wait_for(state="detached")
    page.goto(f"{make_run}/apidocs")
    page.wait_for_selector(".opblock-post [data-path='/operations/sum']")
    assert page.locator(".examples-title").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_readable_on_a_phone_and_a_desktop(
    make_run: str, page: "Page", tmp_path: Path, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a str is one of its words
    open_form(page, make_run, "/jobs").execute()
    for method, path in (("get", "/jobs"), ("put", "/schedules/{name}"), ("delete", "/jobs/{job_id}")):
        Form.at(page, path, method).summary.click()
        Form.at(page, path, method).button.wait_for()

    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dict is its TypedDict
        page.screenshot(path=tmp_path / f"{size['width']}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert [told for contrast, told in page.evaluate(CONTRASTS) if contrast < LEAST_CONTRAST] == []
