"""What is behind the links in mails, in a real browser: it can be read by everybody, and nothing in it runs.

Each test leaves pictures of what it saw in its folder of `--basetemp`.
"""

import csv
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from errand.presenting.colours import STATUS_COLOURS
from errand.process.waiting import until
from errand.trust.links import SignedLinks
from schemas.pictures import Picture
from schemas.status import Status
from tests.support import hostile, sse
from tests.support.jobs import accepted, claimed, succeeded
from tests.support.look import Look
from tests.support.smtp import SmtpSink
from tests.support.stack import Stack, running
from tests.support.valkey import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.timeout(120)

ADDRESS = "name@email.com"
ROWS = [
    {
        "column": f"column {n}",
        "type": "number",
        "count": 1000 * n,
        "mean": n / 7,
        "example": "grüße " * 4,
        "empty": None,
    }
    for n in range(60)
]
RESULTS: dict[str, Any] = {
    "value": 40,
    "text": "A longer text, as somebody would write it.\n\n  With lines, and with a word that is long: " + "x" * 300,
    "table": ROWS,
    "fields": {"count": 12, "mean": 3.25, "median": 3, "name": "a sample"},
    "nested": {
        "totals": {"north": [1, 2, 3], "south": {"a": "b" * 50, "rows": ROWS}},
        "ok": True,
        "list": [[], {"a": 1}],
    },
    "huge": ["all of it is in the file", [1] * 20_000],
    "picture": Picture.of(hostile.png(900, 11), "How often each value occurs").model_dump(),
}


@pytest.fixture(scope="module")
def errand(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An API for all of these tests; the tests do what workers would."""
    env = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": valkey.fresh_url()}
    with running(tmp_path_factory.mktemp("pages"), env, lambda stack: stack.api.start()) as stack:
        yield stack


@pytest.fixture
def api_url(errand: Stack) -> str:
    """The address of its API."""
    return errand.url


@pytest.fixture
def links(errand: Stack) -> SignedLinks:
    """What workers write links with."""
    return SignedLinks(errand.store.link_secret(), errand.url)


@pytest.fixture
def look(browser_page: "Page", errand: Stack, tmp_path: Path) -> Look:
    """A browser that looks at its pages."""
    return Look(browser_page, tmp_path, errand.url)


def done(errand: Stack, result: Any) -> str:
    """Have a job that came to this, and give its id."""
    lease = claimed(errand.store)
    succeeded(errand.store, lease, hostile.as_json(result), ttl=3600)
    return lease.id


def token_of(links: SignedLinks, job_id: str) -> str:
    """Give the token of a link to a job."""
    return links.job(job_id, int(time.time()) + 3600).rpartition("/")[2]


def test_each_kind_of_result_can_be_read_on_every_screen(errand: Stack, links: SignedLinks, look: Look) -> None:
    for name, result in RESULTS.items():
        token = token_of(links, done(errand, result))
        look.page.goto(f"{errand.url}/view/{token}")
        look.page.get_by_role("heading", name="Your operation is complete!").wait_for()
        look.is_good(name)
        if name == "picture":
            assert look.page.get_by_role("img", name="How often").evaluate("image => image.naturalWidth") == 900
    assert look.complaints == []


def as_rgb(colour: str) -> str:
    """Write a colour as a browser gives it."""
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


def test_how_a_job_ended_otherwise_and_refusals_can_be_read_on_every_screen(
    errand: Stack, links: SignedLinks, look: Look
) -> None:
    store = errand.store
    failed = accepted(store)
    message = "A long sentence about what went wrong. " * 10
    error = hostile.as_json({"type": "ValueError", "message": message, "public": True})
    store.client.hset(store.keys.job(failed), mapping={"status": "failed", "error": error})
    waiting = accepted(store, delay_ms=3_600_000)
    expired = links.job(failed, 1).rpartition("/")[2]

    for name, token, heading in (
        ("failed", token_of(links, failed), "An error occurred"),
        ("waiting", token_of(links, waiting), "Your job is waiting for its time"),
        ("expired", expired, "The link has expired"),
        ("forged", "abc.def", "No such link"),
    ):
        look.page.goto(f"{errand.url}/view/{token}")
        assert look.page.get_by_role("heading", level=1).inner_text() == heading
        look.is_good(name)
        if name == "failed":
            colours = "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).borderLeftColor]"
            ground, line = STATUS_COLOURS[Status.FAILED].ground.dark, STATUS_COLOURS[Status.FAILED].line.dark
            for part in (look.page.locator(".badge"), look.page.locator(".value")):
                assert part.evaluate(colours) == [as_rgb(ground), as_rgb(line)]
    assert [told for told in look.complaints if "404" not in told and "410" not in told] == []


def test_an_unfinished_job_is_followed_to_its_end_without_a_reload(
    errand: Stack, links: SignedLinks, look: Look
) -> None:
    page, store = look.page, errand.store
    job_id = accepted(store)
    page.goto(f"{errand.url}/view/{token_of(links, job_id)}")
    page.evaluate("window.isTheSame = true")

    # a worker takes it, and tells how far it is
    assert page.get_by_role("heading", level=1).inner_text() == "Your job is waiting for a worker"
    [lease] = store.claim_these([job_id], "worker", 60)
    page.get_by_role("heading", name="Your job is running").wait_for()
    store.renew([lease], 60, {job_id: '{"progress":0.4,"message":"counting <b>","eta_seconds":62.3}'})
    page.get_by_text("40 %, about 1 min 2 s left").wait_for()
    assert page.get_by_text("counting <b>").is_visible()
    assert page.get_by_role("progressbar").evaluate("bar => bar.value") == 0.4
    look.is_good("running")

    # and it ends
    succeeded(store, lease, "40", ttl=3600)
    page.get_by_role("heading", name="Your operation is complete!").wait_for()
    assert page.locator(".value").inner_text() == "40"
    assert page.get_by_role("status").inner_text() == "Your operation is complete!", "it is read aloud"
    assert page.evaluate("window.isTheSame && stream.readyState === EventSource.CLOSED")
    assert page.title().startswith("Your operation is complete!")
    assert look.complaints == []


def test_without_scripts_everything_can_be_read_and_looked_at_again(
    errand: Stack, links: SignedLinks, browser_page: "Page"
) -> None:
    assert browser_page.context.browser
    page = browser_page.context.browser.new_context(java_script_enabled=False).new_page()
    lease = claimed(errand.store)
    page.goto(f"{errand.url}/view/{token_of(links, lease.id)}")
    assert page.get_by_role("heading", level=1).inner_text() == "Your job is running"

    succeeded(errand.store, lease, hostile.as_json(ROWS), ttl=3600)
    page.get_by_role("link", name="Reload").click()

    page.get_by_role("heading", name="Your operation is complete!").wait_for()
    assert page.get_by_role("row").count() == len(ROWS) + 1
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download as CSV").click()
    assert downloading.value.suggested_filename == "sum.csv"
    with Path(downloading.value.path()).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["column"] for row in rows] == [row["column"] for row in ROWS]


def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    errand: Stack, links: SignedLinks, browser_page: "Page"
) -> None:
    browser_page.goto(f"{errand.url}/view/{token_of(links, done(errand, ROWS))}")

    reached = []
    for _ in range(3):
        browser_page.keyboard.press("Tab")
        assert browser_page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        reached.append(browser_page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent"))

    assert reached == ["The result as a table", "Download as CSV", "Download as JSON"]


def test_nothing_that_somebody_wrote_runs_or_is_fetched(errand: Stack, links: SignedLinks, look: Look) -> None:
    texts = hostile.texts("http://127.0.0.1:9/", "/etc/hostname")

    for tried in ("script", "an event", "a style sheet", "a frame", "a form", "a link", "an end of everything"):
        for shape, result in hostile.results(texts[tried]).items():
            look.page.goto(f"{errand.url}/view/{token_of(links, done(errand, result))}")
            assert look.page.get_by_role("heading", level=1).inner_text() == "Your operation is complete!", shape
    assert look.complaints == []


def test_a_script_that_gets_into_the_page_does_not_run(errand: Stack, links: SignedLinks, browser_page: "Page") -> None:
    browser_page.goto(f"{errand.url}/view/{token_of(links, done(errand, 40))}")

    browser_page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.gotIn = true";
            document.body.append(script);
            document.body.insertAdjacentHTML("beforeend", "<img src=/nothing onerror='window.gotIn = true'>");
        }"""
    )

    browser_page.wait_for_load_state("networkidle")
    assert browser_page.evaluate("window.gotIn") is None


def test_mails_are_ended_and_resumed_by_the_keyboard_alone(errand: Stack, links: SignedLinks, look: Look) -> None:
    page, token = look.page, links.unsubscribe(ADDRESS).rpartition("/")[2]

    page.goto(f"{errand.url}/unsubscribe/{token}")
    assert ADDRESS in page.get_by_role("main").inner_text()
    assert not errand.store.is_unsubscribed(ADDRESS), "to look changes nothing"
    look.is_good("mails")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="No more mails").wait_for()
    assert errand.store.is_unsubscribed(ADDRESS)
    look.is_good("no-mails")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Mails are sent again").wait_for()
    assert not errand.store.is_unsubscribed(ADDRESS)
    look.is_good("mails-again")
    assert look.complaints == []


def test_the_stream_of_a_link_tells_all_but_the_log(errand: Stack, links: SignedLinks) -> None:
    lease = claimed(errand.store)
    token = token_of(links, lease.id)

    with errand.get(f"/view/{token}/events", stream=True) as answer:
        told = sse.told(answer.iter_content(None))
        assert next(told).said == ("status", "running")
        errand.store.renew([lease], 60, {}, [(lease.id, "a secret line")])
        errand.store.renew([lease], 60, {lease.id: '{"progress":0.4,"message":null,"eta_seconds":null}'})
        succeeded(errand.store, lease)

        assert [message.said for message in told] == [("progress", 0.4), ("status", "succeeded")]
    assert errand.get(f"/jobs/{lease.id}/log").text == "a secret line\n", "it is there, for who has the key"


def test_files_are_served_over_real_http(errand: Stack, links: SignedLinks) -> None:
    token = token_of(links, done(errand, ROWS))

    for kind, media_type in (("csv", "text/csv; charset=utf-8"), ("json", "application/json")):
        answer = errand.get(f"/view/{token}/{kind}")
        assert answer.headers["Content-Type"] == media_type
        assert answer.headers["Content-Disposition"] == f'attachment; filename="sum.{kind}"'
        head = requests.head(f"{errand.url}/view/{token}/{kind}", timeout=10)
        assert head.headers["Content-Length"] == str(len(answer.content))


def test_the_links_of_a_real_mail_lead_where_they_say(valkey: Server, smtp_sink: SmtpSink, tmp_path: Path) -> None:
    env = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": valkey.fresh_url(), "SMTP_URL": smtp_sink.url}
    with running(tmp_path, env) as stack:
        # given the mails of a job
        job_id = stack.compute(email=ADDRESS)
        mail = next(mail for mail in smtp_sink.wait_for(2, 30) if "40" in mail.text)

        # then the link in the text leads to its result, without any key
        [link] = re.findall(rf"{stack.url}/view/\S+", mail.text)
        token = link.rpartition("/")[2]
        page = stack.get(f"/view/{token}", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert job_id in page.text
        assert '<div class="value short" dir="auto"' in page.text
        assert stack.get(f"/view/{token}/json").json() == 40

        # and the one click of a mail program ends all further mails
        unsubscribe = str(mail.message["List-Unsubscribe"]).strip("<>").rpartition("/")[2]
        assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        looked = stack.get(f"/unsubscribe/{unsubscribe}")
        clicked = stack.post(f"/unsubscribe/{unsubscribe}", data={"List-Unsubscribe": "One-Click"})
        assert (looked.status_code, clicked.status_code) == (200, 200)
        second = stack.compute(email=ADDRESS.upper().replace("EMAIL.COM", "email.com"))
        until(lambda: _states(stack, second) == {"unsubscribed"}, 20, "nobody is mailed")
        assert len(smtp_sink.wait_for(2)) == 2


def _states(stack: Stack, job_id: str) -> set[str]:
    notifications = stack.finished(job_id)["notifications"]
    return {each["state"] for each in notifications} if len(notifications) == 2 else set()
