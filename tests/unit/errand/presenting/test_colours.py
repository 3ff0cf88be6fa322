"""The colours of pages and mails: texts can be read, and a status has one colour wherever it is shown."""

import re
from itertools import combinations

import pytest

from errand.presenting.colours import COLOURS, STATUS_COLOURS, style_sheet
from schemas.notifications import NoticeKind
from schemas.status import Status
from tests.support.processes import ROOT
from workers.mail.writing.template_set import OWN

LEAST = 4.5
"""What WCAG 2 asks of texts (AA); 3 of what isn't text."""
ON = [
    ("text", "ground"),
    ("text", "card"),
    ("faint", "ground"),
    ("faint", "card"),
    ("link", "card"),
    ("on-button", "button"),
    ("on-value", "value"),
]
"""Which text stands on which ground."""
STATUS_OF = {
    NoticeKind.RECEIPT: Status.ACCEPTED,
    NoticeKind.RESULT: Status.SUCCEEDED,
    NoticeKind.FAILURE: Status.FAILED,
    NoticeKind.CANCELLED: Status.CANCELLED,
}


def light(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2 computes it."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, bright = sorted((light(one), light(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_all_texts_can_be_read_on_their_ground(mode):
    pairs = {f"{text} on {ground}": (COLOURS[text], COLOURS[ground]) for text, ground in ON}
    pairs |= {status: (tones.text, tones.ground) for status, tones in STATUS_COLOURS.items()}

    faint = {
        name: contrast(getattr(text, mode), getattr(ground, mode))
        for name, (text, ground) in pairs.items()
        if contrast(getattr(text, mode), getattr(ground, mode)) < LEAST
    }

    assert faint == {}


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_line_of_a_status_and_its_progress_can_be_seen(mode):
    card, track = getattr(COLOURS["card"], mode), getattr(COLOURS["track"], mode)
    for status, tones in STATUS_COLOURS.items():
        assert contrast(getattr(tones.line, mode), card) >= 3, status
    assert contrast(getattr(STATUS_COLOURS[Status.RUNNING].line, mode), track) >= 2.5
    assert contrast(track, card) < 2, "the track itself doesn't glare"


def test_each_status_has_colours_and_no_two_share_them():
    assert set(STATUS_COLOURS) == set(Status)
    assert [pair for pair in combinations(STATUS_COLOURS.values(), 2) if set(pair[0]) & set(pair[1])] == []


def test_the_style_sheet_of_the_pages_is_what_the_table_writes():
    assert (ROOT / "api/static/colours.css").read_text("utf-8") == style_sheet(), (
        "write it again: python -m errand.presenting.colours > api/static/colours.css"
    )


@pytest.mark.parametrize("kind", STATUS_OF)
def test_a_mail_has_the_colour_of_its_status(kind):
    assert f'set status = "{STATUS_OF[kind]}"' in (OWN / f"{kind}.html").read_text("utf-8")


@pytest.mark.parametrize("sheet", ["api/static/page.css", "examples/live/static/live.css"])
def test_other_style_sheets_have_no_colour_of_a_status_of_their_own(sheet):
    text = (ROOT / sheet).read_text("utf-8")
    rules = re.findall(r"^.*status.*\{([^}]*)\}", text, re.MULTILINE)

    assert [rule for rule in rules if re.search(r"#[0-9a-f]{3,8}\b", rule)] == []
