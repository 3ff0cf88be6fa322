"""The mailbox in a real browser: mails appear by themselves and can be read; nothing in them runs or is fetched.

Each test leaves a picture of the page as it was at its end in its folder of `--basetemp`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from errand.process.waiting import until
from tests.support.mails import keep, letter, with_picture
from tests.support.stack import Stack, running
from tests.support.valkey import Server
from tests.support.web import WebServer

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator, Page

PHONE = {"width": 375, "height": 740}
DESKTOP = {"width": 1280, "height": 800}

HOSTILE = """\
<!doctype html>
<html><head>
<base href="{there}/base/">
<meta http-equiv="refresh" content="0; url={there}/refresh">
<link rel="stylesheet" href="{there}/style.css"><link rel="icon" href="{there}/icon.png">
<link rel="preconnect" href="{there}"><link rel="dns-prefetch" href="{there}"><link rel="prefetch" href="{there}/p">
<link rel="preload" as="image" href="{there}/preload.png"><link rel="modulepreload" href="{there}/m.js">
<style>@import "{there}/import.css"; @font-face {{ font-family: f; src: url({there}/font.woff2) }}
p {{ background: url({there}/css.png); font-family: f }}</style>
<script>document.title = "run"; new Image().src = "{there}/script"</script><script src="{there}/script.js"></script>
</head><body onload="new Image().src = '{there}/onload'" background="{there}/background.png">
<p id="shown">It is shown all the same.</p>
<img src="{there}/image.png" srcset="{there}/image2.png 2x" onerror="parent.document.title = 'run'">
<svg><image href="{there}/svg.png"/><use href="{there}/use.svg#x"/><script>alert(1)</script></svg>
<iframe src="{there}/frame"></iframe><iframe srcdoc="<img src='{there}/srcdoc'><script>alert(1)</script>"></iframe>
<object data="{there}/object"></object>
<embed src="{there}/embed"><video src="{there}/video" poster="{there}/poster" autoplay></video>
<audio src="{there}/audio" autoplay></audio><input type="image" src="{there}/input.png">
<form action="{there}/form"><input name="password" autofocus><button id="send">Send</button></form>
<a id="script" href="javascript:alert(1)">script</a>
<a id="data" href="data:text/html,<script>alert(1)</script>">data</a>
<a id="top" href="{there}/top" target="_top" ping="{there}/ping">top</a>
<details open ontoggle="alert(1)"><summary>x</summary></details><math href="javascript:alert(1)">x</math>
</body></html>
"""


@pytest.fixture(scope="module")
def errand(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An API with a mailbox for all of these tests, and nothing behind it."""
    folder = tmp_path_factory.mktemp("mailbox")
    env = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": valkey.fresh_url(), "MAILBOX": str(folder / "mail")}
    with running(folder, env, lambda stack: stack.api.start()) as stack:
        yield stack


@pytest.fixture
def api_url(errand: Stack) -> str:
    """The address of its API."""
    return errand.url


@pytest.fixture
def folder(errand: Stack) -> Path:
    """Its folder, without a mail."""
    errand.delete("/mailbox/mails")
    return Path(errand.settings.mailbox)


@pytest.fixture
def complaints(browser_page: "Page") -> list[str]:
    """What the browser complains about, but for what it holds back in frames."""
    noted: list[str] = []
    browser_page.on("pageerror", lambda error: noted.append(str(error)))
    browser_page.on("dialog", lambda dialog: (noted.append(dialog.message), dialog.dismiss()))
    browser_page.on("console", lambda line: noted.append(line.text) if line.type == "error" else None)
    return noted


@pytest.fixture
def page(browser_page: "Page", tmp_path: Path) -> "Iterator[Page]":
    """The browser's page, as wide as a desktop's, of which a picture is taken at the end."""
    browser_page.set_viewport_size(DESKTOP)
    yield browser_page
    browser_page.screenshot(path=tmp_path / "page.png")


@pytest.fixture
def there() -> Iterator[WebServer]:
    """Where hostile mails would have things fetched."""
    with WebServer() as server:
        yield server


def opened(page: "Page", errand: Stack) -> "Page":
    page.goto(f"{errand.url}/mailbox")
    titled(page, re.compile(r"\d mails? · Errand$"))
    return page


def titled(page: "Page", title: str | re.Pattern[str]) -> None:
    """Wait for a title; not by `wait_for_function`, which evaluates text in the page, against the page's policy."""
    from playwright.sync_api import expect

    expect(page).to_have_title(title)


def read(page: "Page", subject: str) -> "FrameLocator":
    page.locator("#rows a", has_text=subject).click()
    page.locator("#subject", has_text=subject).wait_for()
    return page.frame_locator("#panel iframe")


def focused(page: "Page") -> str:
    """Give the text of what has the keyboard, which must show it."""
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    return str(page.evaluate("document.activeElement.textContent"))


def test_a_mail_appears_without_a_reload_and_is_counted_as_new_until_it_is_read(errand, folder, page, complaints):
    keep(folder, letter("The first"))
    opened(page, errand)
    titled(page, "1 mail · Errand")

    keep(folder, letter("The second", html="<p>It came by itself.</p>"))

    page.locator("#rows a", has_text="The second").wait_for()
    titled(page, "(1 new) 2 mails · Errand")
    assert page.locator("#rows .subject").all_inner_texts() == ["The second", "The first"]
    read(page, "The second").get_by_text("It came by itself.").wait_for()
    titled(page, "2 mails · Errand")
    assert complaints == []


def test_many_mails_at_once_and_older_ones_are_all_listed(errand, folder, page, complaints):
    opened(page, errand)
    keep(folder, *(letter(f"No {number}.") for number in range(120)))
    page.locator("#rows a", has_text="No 119.").wait_for()

    def scrolled_to_the_first() -> bool:
        page.locator("#rows li").last.scroll_into_view_if_needed()  # older ones are read when the last can be seen
        return page.locator("#rows a", has_text="No 0.").is_visible()

    until(scrolled_to_the_first, 30, "the oldest mail")

    assert page.locator("#rows li").count() == 120
    assert page.locator("#older").is_hidden()
    assert complaints == []


def test_nothing_in_a_mail_runs_or_is_fetched(errand, folder, page, there, complaints):
    hostile = HOSTILE.format(there=there.url(""))
    keep(folder, letter("<img src=x onerror=alert(1)>", text="<script>alert(1)</script>", html=hostile))
    opened(page, errand)

    frame = read(page, "onerror=alert(1)")
    frame.get_by_text("It is shown all the same.").wait_for()
    page.wait_for_load_state("networkidle")
    for link in ("#script", "#data", "#send"):
        frame.locator(link).click()
    page.goto(f"{errand.url}/mailbox/mails/{page.url.partition('#')[2]}/html")  # alone, without the frame
    page.get_by_text("It is shown all the same.").wait_for()
    for link in ("#script", "#data", "#send"):
        page.locator(link).click()

    assert there.connections == 0
    assert page.title() != "run"
    ran = [each for each in complaints if "alert" in each and "violates" not in each and "Blocked" not in each]
    assert ran == []
    # and that mail does all that where nobody holds it back
    page.context.browser.new_page().set_content(hostile.replace("refresh", "no refresh"), wait_until="commit")
    there.wait_until(lambda: len(there.requests) > 5)


def test_the_parts_of_a_mail_are_behind_their_tabs(errand, folder, page, tmp_path, complaints):
    keep(folder, with_picture('<p>See</p><img id="picture" src="cid:pixel@here">'))
    opened(page, errand)

    frame = read(page, "A picture")
    frame.locator("#picture").wait_for()
    assert frame.locator("#picture").evaluate("image => image.complete && image.naturalWidth") == 1
    page.get_by_role("tab", name="Text").click()
    page.locator("#panel pre", has_text="The text.").wait_for()
    page.get_by_role("tab", name="Source").click()
    page.locator("#panel pre", has_text="Content-Type: multipart/").wait_for()
    page.get_by_role("tab", name="Attachments (1)").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="table.csv").click()

    assert download.value.suggested_filename == "table.csv"
    assert Path(download.value.path()).read_bytes() == b"a,b\n1,2\n"
    assert complaints == []


def test_links_open_in_a_new_tab_from_html_and_from_text(errand, folder, page):
    link = f"{errand.url}/healthz"
    keep(folder, letter("Links", f"Look at {link}.\n", f'<a href="{link}" target="_self">Look</a>'))
    opened(page, errand)

    with page.expect_popup() as beside:
        read(page, "Links").get_by_text("Look").click()
    assert beside.value.url == link
    assert beside.value.evaluate("window.opener") is None
    page.get_by_role("tab", name="Text").click()
    with page.expect_popup() as beside:
        page.get_by_role("link", name=link).click()
    assert beside.value.url == link


def test_the_keyboard_alone_is_enough(errand, folder, page, complaints):
    keep(folder, letter("One", html="<p>1</p>"), letter("Two", html="<p>2</p>"), letter("Three", html="<p>3</p>"))
    opened(page, errand)
    press = page.keyboard.press

    # down, down, up and in
    for key, subject in (("j", "Three"), ("ArrowDown", "Two"), ("j", "One"), ("k", "Two"), ("ArrowUp", "Three")):
        press(key)
        assert subject in focused(page)
    press("ArrowDown")
    press("Enter")
    page.frame_locator("#panel iframe").get_by_text("2").wait_for()

    # from tab to tab
    page.get_by_role("tab", name="HTML").focus()
    press("ArrowRight")
    page.locator("#panel pre", has_text="The text.").wait_for()
    assert focused(page) == "Text"
    press("ArrowRight")
    page.locator("#panel pre", has_text="Subject: Two").wait_for()

    # and out again, to where one was
    press("Escape")
    page.locator("#none").wait_for()
    assert "Two" in focused(page)
    assert complaints == []


def test_on_a_phone_one_goes_from_the_list_to_a_mail_and_back(errand, folder, page, complaints):
    page.set_viewport_size(PHONE)
    keep(folder, letter("A subject that is rather long, as subjects of mails are " * 3, html="<p>Hello</p>"))
    opened(page, errand)

    read(page, "A subject").get_by_text("Hello").wait_for()
    assert page.locator("#list").is_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator("#back").click()

    page.locator("#list").wait_for()
    assert page.locator("#mail").is_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.go_back()
    page.locator("#mail").wait_for()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_as_light_or_dark_as_the_system(errand, folder, page, scheme):
    page.emulate_media(color_scheme=scheme)
    keep(folder, with_picture("<h1>Hello</h1><p>A mail that knows of no dark mode.</p>"))
    opened(page, errand)
    read(page, "A picture").get_by_text("Hello").wait_for()

    colours = page.evaluate("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]")

    light, dark = sorted((sum(map(int, colour[4:-1].split(","))) for colour in colours), reverse=True)
    assert light - dark > 500, "it can be read"
    assert (colours[1] == "rgb(255, 255, 255)") is (scheme == "light")


def test_an_empty_mailbox_says_how_to_get_a_mail_and_does_it(errand, folder, page, complaints):
    opened(page, errand)
    page.get_by_text("No mails yet").wait_for()
    assert f"curl {errand.url}/compute" in page.locator("#example").inner_text()

    page.get_by_role("button", name="Submit this job").click()

    page.get_by_text("Accepted").wait_for()
    assert errand.get("/jobs?operation=sum").json()["jobs"]
    assert complaints == []


def test_all_mails_are_deleted_after_a_question(errand, folder, page, complaints):
    keep(folder, letter("One"), letter("Two"))
    opened(page, errand)
    read(page, "One")

    page.get_by_role("button", name="Delete all").click()
    page.get_by_text("Delete 2 mails for good?").wait_for()
    page.keyboard.press("Escape")
    assert errand.get("/mailbox/mails").json()["total"] == 2
    page.locator("#clear").click()
    page.locator("#sure").get_by_role("button", name="Delete all").click()

    page.get_by_text("No mails yet").wait_for()
    assert errand.get("/mailbox/mails").json()["total"] == 0
    titled(page, "0 mails · Errand")
    assert complaints == []


def test_a_mail_that_is_gone_is_said_to_be(errand, folder, page):
    page.goto(f"{errand.url}/mailbox#{'0' * 20}")

    page.get_by_text("This mail is gone").wait_for()


def test_the_page_goes_on_when_the_server_was_away(errand, folder, page):
    keep(folder, letter("Before"))
    opened(page, errand)

    errand.api.stop()
    page.locator("#live").wait_for()
    keep(folder, letter("Meanwhile"))
    errand.api.start()

    page.locator("#rows a", has_text="Meanwhile").wait_for()
    assert page.locator("#live").is_hidden()
