"""`/unsubscribe/{token}`: loading the page changes nothing, one click does, and it can be undone."""

import pytest

from errand.trust.links import SignedLinks
from tests.support.view import BROWSER, Page, path_of

ADDRESS = "name@email.com"
FORM = {"List-Unsubscribe": "One-Click"}
BACK = {"List-Unsubscribe": "Resume"}


@pytest.fixture
def path(links) -> str:
    return path_of(links.unsubscribe(ADDRESS))


def button(html: str) -> dict[str, str]:
    """Return the form that the page's only button sends."""
    page = Page(html)
    assert page.all("form", "method") == ["post"]
    assert page.all("form", "action") == [], "it goes to the page's own address"
    assert page.tags.count("button") == 1
    return dict(zip(page.all("input", "name"), page.all("input", "value"), strict=True))


def test_loading_the_page_changes_nothing(client, api_store, path):
    for method in ("GET", "HEAD", "OPTIONS"):
        for headers in (BROWSER, {}, {"User-Agent": "a scanner of mails"}):
            assert client.open(path, method=method, headers=headers).status_code == 200
    assert client.get(f"{path}?List-Unsubscribe=One-Click").status_code == 200

    assert not api_store.is_unsubscribed(ADDRESS)


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_of_a_mail_program_stops_the_mails(client, api_store, path, content_type):
    answer = client.post(path, data=FORM, content_type=content_type)

    assert answer.status_code == 200, "RFC 8058: no redirect, and no page that is needed"
    assert api_store.is_unsubscribed(ADDRESS)
    assert client.post(path, data=FORM, content_type=content_type).status_code == 200, "and again"


def test_the_button_of_the_page_does_the_same_and_the_next_one_leads_back(client, api_store, path):
    looked = client.get(path)
    ended = client.post(path, data=button(looked.text))

    assert ADDRESS in Page(looked.text).text
    assert button(looked.text) == FORM
    assert "We no longer send mails to" in Page(ended.text).text
    assert api_store.is_unsubscribed(ADDRESS)

    assert button(client.get(path).text) == button(ended.text) == BACK
    back = client.post(path, data=button(ended.text))

    assert "Mails are sent again" in Page(back.text).text
    assert not api_store.is_unsubscribed(ADDRESS)
    assert button(back.text) == FORM


def test_only_mails_to_this_address_stop(client, api_store, path):
    client.post(path, data=FORM)

    assert not api_store.is_unsubscribed("other@email.com")
    assert not api_store.is_unsubscribed("ame@email.com")


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"json": FORM},
        {"data": "List-Unsubscribe=One-Click", "content_type": "text/plain"},
        {"data": {"List-Unsubscribe": "one-click"}},
        {"data": {"list-unsubscribe": "One-Click"}},
        {"query_string": FORM},
        {"data": b"\xff\xfe%ff=%", "content_type": "application/x-www-form-urlencoded"},
        {"data": b"--", "content_type": "multipart/form-data"},
        {"data": b"--x\r\n\r\n", "content_type": "multipart/form-data; boundary=y"},
    ],
)
def test_a_post_without_a_known_value_changes_nothing(client, api_store, path, sent):
    problem = client.post(path, **sent)
    page = client.post(path, headers=BROWSER, **sent)

    assert (problem.status_code, problem.mimetype) == (400, "application/problem+json")
    assert problem.json["detail"].startswith("Send the form field `List-Unsubscribe`")
    assert (page.status_code, page.mimetype) == (400, "text/html")
    assert not api_store.is_unsubscribed(ADDRESS)


def test_a_form_that_is_far_too_large_is_refused(client, api_store, path):
    answer = client.post(path, data={**FORM, "x": "x" * 2_000_000})

    assert answer.status_code == 413
    assert not api_store.is_unsubscribed(ADDRESS)


def test_a_forged_link_changes_nothing(client, api_store, path):
    token = path.removeprefix("/unsubscribe/")
    forged = SignedLinks(b"another secret than it is", "http://127.0.0.1:5000").unsubscribe(ADDRESS)

    for wrong in (path[:-2] + "BA", "/unsubscribe/" + token[1:], path_of(forged)):
        for answer in (client.get(wrong, headers=BROWSER), client.post(wrong, data=FORM, headers=BROWSER)):
            assert (answer.status_code, answer.mimetype) == (404, "text/html")
        assert client.post(wrong, data=FORM).mimetype == "application/problem+json"
    assert not api_store.is_unsubscribed(ADDRESS)


def test_the_page_of_an_odd_address_shows_it_and_nothing_else(client, links):
    answer = client.get(path_of(links.unsubscribe('"><script>alert(1)</script>@x.example')))

    page = Page(answer.text)
    assert '"><script>alert(1)</script>@x.example' in page.text
    assert "script" not in page.tags


def test_while_the_store_is_away_no_request_succeeds(client, api_store, path):
    client.get(path)
    api_store.go_away()

    answer = client.post(path, data=FORM, headers=BROWSER)
    api_store.come_back()

    assert answer.status_code == 503
    assert "try again" in Page(answer.text).text
    assert not api_store.is_unsubscribed(ADDRESS)


def test_only_looking_and_posting_is_possible(client, path):
    assert [client.open(path, method=method).status_code for method in ("PUT", "DELETE", "PATCH")] == [405] * 3
