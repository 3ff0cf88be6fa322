"""The HTML of a mail as its frame gets it."""

import pytest

from api.mailbox import frames
from api.mailbox.frames import framed
from api.mailbox.mime import parts_of
from tests.support.mails import with_picture

BASE = '<base target="_blank">'
FILES = parts_of(with_picture("").as_bytes())


@pytest.mark.parametrize("html", ["<p>x</p>", "", "text", "<!-- x --><!doctype html>"])
def test_links_open_in_a_new_tab(html):
    assert framed(html, []) == BASE + html


def test_the_mail_stays_in_the_mode_that_its_doctype_chooses():
    assert framed("\n<!DOCTYPE html>\n<p>x</p>", []) == f"\n<!DOCTYPE html>{BASE}\n<p>x</p>"


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<link rel=preconnect href=//evil>", "<x-link rel=preconnect href=//evil>"),
        ("<svg><LINK\nrel=x>", "<svg><x-LINK\nrel=x>"),
        ("<iframe src=//evil></iframe>", "<x-iframe src=//evil></iframe>"),
        ("<Frame src=//evil><object/data=x>", "<x-Frame src=//evil><x-object/data=x>"),
        ("<!--><link/rel=x>-->", "<!--><x-link/rel=x>-->"),
        ('<a href="x" target="_self">', '<a href="x" data-target="_self">'),
        ("<area\nTARGET = _top>", "<area\ndata-target = _top>"),
        ("<p>my target = 3</p><linked>", "<p>my target = 3</p><linked>"),
    ],
)
def test_tags_that_connect_despite_the_policy_are_disarmed(html, shown):
    assert framed(html, []) == BASE + shown


@pytest.mark.parametrize(
    "html",
    [
        '<img src="cid:pixel@here">',
        "<img src='CID:pixel%40here'>",
        "<img src=cid:pixel@here>",
        "<td style='x:url(cid:pixel&#64;here)'>",
    ],
)
def test_pictures_of_the_mail_are_embedded(html):
    shown = framed(html, FILES)

    assert "cid:" not in shown.lower()
    assert "data:image/png;base64,iVBOR" in shown


@pytest.mark.parametrize("html", ['<img src="cid:other@here">', "write to cid:pixel@here", '<img src="cid:">'])
def test_other_html_stays_as_it_is(html):
    assert framed(html, FILES) == BASE + html


def test_only_pictures_are_embedded():
    [page] = parts_of(b"Content-Type: text/html\nContent-ID: <x>\n\n<script>")

    assert framed('<img src="cid:x">', [page]) == BASE + '<img src="cid:x">'


def test_a_picture_shown_many_times_does_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(frames, "MOST_IMAGE_CHARACTERS", 1_000)

    assert len(framed('<img src="cid:pixel@here">' * 1_000, FILES)) < 30_000
