"""Every form of Swagger UI can be sent as it opens: each is opened, and its button pressed, on a fresh `make run`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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


@pytest.fixture
def make_run(tmp_path: Path) -> Iterator[str]:
    """The address of what `make run` starts: nobody has submitted a job yet."""
    port = free_port()
    run = Running.module("errand.embedded.run", log=tmp_path / "run.log", env={"PORT": str(port)}, cwd=tmp_path)
    run.ready = lambda: "errand: ready" in run.output()
    try:
        run.start()
        yield f"http://{LOCALHOST}:{port}"
    finally:
        run.stop()


def test_every_form_can_be_sent_as_it_opens(make_run: str, browser_page: "Page") -> None:
    complaints: list[str] = []
    browser_page.on("pageerror", lambda error: complaints.append(str(error)))
    browser_page.goto(f"{make_run}/apidocs?examples=true")
    browser_page.wait_for_selector(".opblock-post [data-path='/operations/sum']")

    answers = browser_page.evaluate(SEND_ALL)

    assert len(answers) > 60
    assert [(name, status) for name, status in answers if status not in {200, 201, 202, 204}] == []
    assert complaints == []


def test_a_form_that_deletes_never_opens_with_somebodys_job(make_run: str, browser_page: "Page") -> None:
    browser_page.goto(f"{make_run}/apidocs")
    browser_page.wait_for_selector(".opblock-post [data-path='/operations/sum']")
    own = browser_page.evaluate(
        "makeOne({make: {post: '/jobs', body: {operation: 'sum', arguments: {value: 1, other: 2}}, at: '/id'}})"
    )

    for method, path in (
        ("delete", "/jobs/{job_id}"),
        ("post", "/jobs/{job_id}/cancel"),
        ("post", "/jobs/{job_id}/retry"),
    ):
        block = browser_page.locator(f".opblock-{method}", has=browser_page.locator(f"[data-path='{path}']"))
        block.locator(".opblock-summary-control").click()
        block.locator("button.execute").click()
        block.locator(".live-responses-table .response").wait_for()

        used = block.locator("tr[data-param-name='job_id'] input").input_value()
        assert used
        assert used != own
