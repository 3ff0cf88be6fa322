"""Every kind of mail in a real browser, on a phone and a desktop, light and dark: all of it can be read by everybody.

Pictures of what was seen are left in the folder that MAIL_SCREENSHOTS names, else in the test's own.
"""

import json
import os
import re
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from errand.settings import Settings
from errand.trust.links import SignedLinks
from schemas.notifications import NoticeKind
from tests.support.letters import compose
from tests.support.look import DESKTOP, PHONE, Look
from workers.mail.writing.letter import Letter
from workers.mail.writing.sample_notices import sample
from workers.operations.csv_summary import csv_summary
from workers.operations.histogram import histogram
from workers.operations.statistics import statistics

if TYPE_CHECKING:
    from playwright.sync_api import Page

NUMBERS = [40 + (n * n) % 37 + n % 11 for n in range(300)]
PEOPLE = "name,born,height,town,remarks\n" + "".join(
    f"Person {n},18{n:02},{150 + n / 7:.1f},A town with a name,{'remark ' * (n % 9)}\n" for n in range(90)
)
ERROR = {"type": "ValueError", "message": "The text has 1002 columns; at most 1000 are summarised: " + "x" * 120}
WORDS = "A longer text, as somebody would write it.\n\n  With lines, and with a word that is long: " + "x" * 300
NESTED = {"totals": {"north": [1, 2, 3], "south": {"a": "b" * 90}}, "numbers": list(range(100)), "ok": True}
WIDER = [{f"column {n}": n * 1000 for n in range(5)}] * 3
GROUND = """<style>
html { background: #fff; color: #000 }
@media (prefers-color-scheme: dark) { html { background: #111; color: #fff } }
</style>"""
"""What a mail program without our style sheet has of its own."""


def mails() -> dict[str, Letter]:
    """Write the mails to look at, by name."""
    columns = [column.model_dump() for column in csv_summary(PEOPLE)]
    picture = histogram(NUMBERS, None, "Response times of all requests (ms)").model_dump()
    results: dict[str, Any] = {
        "number": 40,
        "large number": 10**60,
        "text": WORDS,
        "long text": WORDS * 100,
        "fields": statistics(NUMBERS).model_dump(),
        "table": columns,
        "narrow table": [
            {"number": n, "square of it": n * n, "remark": "a few more words here", "more": "1"} for n in range(9)
        ],
        "long table": [{"n": n, "square": n * n, "word": "two words"} for n in range(500)],
        "values": NUMBERS,
        "json": NESTED | {"rows": {"of": WIDER}, "mixed": [1, [WIDER, None], {"a": WIDER}]},
        "picture": picture,
    }
    kinds = {
        "receipt": sample(NoticeKind.RECEIPT),
        "receipt alone": sample(NoticeKind.RECEIPT, notify="accepted"),
        "failure": sample(NoticeKind.FAILURE, attempt="3", error=json.dumps(ERROR)),
        "cancelled": sample(NoticeKind.CANCELLED, error='{"type":"Cancelled","message":"called off while it ran"}'),
        "letter": sample(NoticeKind.LETTER, subject="Just testing " + "x" * 100, body=f"Dear you,\n\n{WORDS}"),
    }
    settings, links = Settings(_env_file=None), SignedLinks(bytes(32), "https://errand.example.com")
    notices = kinds | {
        f"result {name}": sample(NoticeKind.RESULT, operation=name.split()[-1], result=json.dumps(result))
        for name, result in results.items()
    }
    bare = compose(notices["result picture"], settings, links, bare=True)
    return {name: compose(notice, settings, links) for name, notice in notices.items()} | {"result bare": bare}


def shown(mail: Letter) -> str:
    """Give the HTML as a mail program shows it: with the pictures that came along."""
    markup = mail.html or ""
    for file in mail.attachments:
        markup = markup.replace(f"cid:{file.cid}", f"data:{file.media_type};base64,{b64encode(file.content).decode()}")
    return markup


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    named = os.environ.get("MAIL_SCREENSHOTS")
    folder = Path(named) if named else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def look(browser_page: "Page", folder: Path) -> Look:
    return Look(browser_page, folder, origin="nowhere:")


def test_each_mail_can_be_read_on_every_screen_and_asks_for_nothing(look, folder):
    for name, mail in mails().items():
        look.page.set_content(shown(mail))

        look.is_good(name.replace(" ", "-"))

        (folder / f"{name.replace(' ', '-')}.txt").write_text(mail.text)
        look.page.set_viewport_size(PHONE)
        sizes = look.page.evaluate(
            "[...document.querySelectorAll('body *')].map(e => parseInt(getComputedStyle(e).fontSize))"
        )
        assert min(sizes) >= 13, name
        for button in look.page.locator(".button").all():
            assert button.bounding_box()["height"] >= 44, name  # what a finger hits
        assert all(look.page.locator("img").evaluate_all("all => all.map(e => e.complete && e.naturalWidth > 0)"))
    assert look.complaints == []


def test_each_mail_can_be_read_where_the_mail_program_drops_the_style_sheet(look, folder):
    for name, mail in mails().items():
        bare, dropped = re.subn(r"<style>.*?</style>", GROUND, shown(mail), flags=re.DOTALL)
        assert dropped == 1
        look.page.set_content(bare)

        look.is_good(f"plain-{name.replace(' ', '-')}")
    assert look.complaints == []


def test_a_wide_table_scrolls_by_itself_on_a_phone_and_with_the_keyboard(look):
    look.page.set_viewport_size(PHONE)
    look.page.set_content(shown(mails()["result narrow table"]))
    table = look.page.get_by_role("region", name="The result")
    assert table.evaluate("e => e.scrollWidth > e.clientWidth")
    assert look.page.get_by_text("Scroll sideways to see all 4 columns.").is_visible()

    table.focus()
    look.page.keyboard.press("ArrowRight")

    look.page.wait_for_function("document.querySelector('.scroll').scrollLeft > 0")
    look.page.set_viewport_size(DESKTOP)
    assert table.evaluate("e => e.scrollWidth == e.clientWidth")
    assert not look.page.get_by_text("Scroll sideways").is_visible()


def test_a_table_that_is_wider_than_a_mail_is_cards(look):
    look.page.set_content(shown(mails()["result table"]))

    for size in (PHONE, DESKTOP):
        look.page.set_viewport_size(size)
        cards = look.page.get_by_role("list", name="The result").get_by_role("listitem")
        assert cards.count() == 5
        assert "column: name" in cards.first.inner_text()
        assert look.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
