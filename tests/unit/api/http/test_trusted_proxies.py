"""Forwarding headers: believed from trusted proxies only, and only what such a proxy said itself."""

import pytest
from flask import request

from api.app import app_of_routes
from errand.settings import Settings

NEAR, FAR, CLIENT, LIAR = "10.0.0.1", "10.0.0.2", "203.0.113.7", "198.51.100.66"


def app_with(trusted: str, public_url: str = ""):
    """Make an app with a route that says what it knows of the client."""
    app = app_of_routes(Settings(_env_file=None, trusted_proxies=trusted, public_url=public_url, trusted_hosts="*"))

    @app.get("/whoami")
    def whoami():
        return {
            "from": request.remote_addr,
            "url": request.url,
            "headers": sorted(name for name in request.headers if "Forwarded" in name),
        }

    return app


@pytest.fixture(scope="module")
def app():
    return app_with("10.0.0.0/30, 2001:db8:1::/64")


def ask(app, headers, peer=NEAR):
    return app.test_client().get("/whoami", headers=headers, environ_overrides={"REMOTE_ADDR": peer})


def known(app, headers, peer=NEAR):
    answer = ask(app, headers, peer).json
    return answer["from"], answer["url"].removesuffix("/whoami")


EVERYTHING = {
    "X-Forwarded-For": LIAR,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": f"for={LIAR};proto=https;host=evil.example",
}


@pytest.mark.parametrize("peer", [CLIENT, "10.0.0.4", "::1", "2001:db8:2::1", "", "not an address", "10.0.0.1:80"])
def test_nobody_else_is_believed_and_no_plug_in_sees_what_they_say(app, peer):
    answer = ask(app, EVERYTHING, peer).json

    assert answer == {"from": peer, "url": "http://localhost/whoami", "headers": []}


def test_without_trusted_proxies_nobody_is_believed():
    assert known(app_with(""), EVERYTHING) == (NEAR, "http://localhost")


def test_a_trusted_proxy_is_believed_in_everything(app):
    headers = {
        "X-Forwarded-For": CLIENT,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "example.org:8443",
        "X-Forwarded-Prefix": "/errand/",
    }

    assert known(app, headers) == (CLIENT, "https://example.org:8443/errand")


@pytest.mark.parametrize("peer", [NEAR, f"::ffff:{NEAR}", "2001:db8:1::5"])
def test_a_proxy_is_known_by_its_address_however_it_is_written(app, peer):
    assert known(app, {"X-Forwarded-For": CLIENT}, peer)[0] == CLIENT


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        (f"{LIAR}, {CLIENT}", CLIENT),
        (f"{LIAR}, {NEAR}, {CLIENT}, {FAR}", CLIENT),
        (f"{CLIENT},{FAR}", CLIENT),
        (f"{FAR}, {NEAR}", FAR),
        (f"{CLIENT}:51000", CLIENT),
        ("2001:db8:2::7", "2001:db8:2::7"),
        ("[2001:DB8:2::7]:443", "2001:db8:2::7"),
        (f"::ffff:{CLIENT}", CLIENT),
        ("unknown", "unknown"),
        (f"{CLIENT}, unknown", "unknown"),
        (f"{CLIENT}, , {FAR}", "unknown"),
        ("<script>", "unknown"),
        (f"{CLIENT}, " + ", ".join([FAR] * 100), FAR),
        (" ", NEAR),
    ],
)
def test_the_right_most_address_that_is_not_trusted_is_the_clients(app, forwarded_for, client):
    assert known(app, {"X-Forwarded-For": forwarded_for})[0] == client


@pytest.mark.parametrize(
    ("proto", "url"),
    [
        ("https", "https://localhost"),
        ("HTTPS", "https://localhost"),
        ("http, https", "http://localhost"),
        ("https, http", "https://localhost"),
        ("http, https, http", "https://localhost"),
        ("javascript", "http://localhost"),
        ("", "http://localhost"),
    ],
)
def test_the_scheme_is_the_one_that_the_outermost_trusted_proxy_was_asked_with(app, proto, url):
    headers = {"X-Forwarded-For": f"{CLIENT}, {FAR}", "X-Forwarded-Proto": proto}

    assert known(app, headers)[1] == url


def test_a_scheme_without_an_address_is_believed_too(app):
    assert known(app, {"X-Forwarded-Proto": "https"}) == (NEAR, "https://localhost")


@pytest.mark.parametrize(
    "host", ["evil.example/x", "evil example", "a@b", "", "[::1", "a_b", "x" * 300, 'x"', "a:b", "a:123456"]
)
def test_what_is_no_host_is_not_believed(app, host):
    assert known(app, {"X-Forwarded-Host": host})[1] == "http://localhost"


@pytest.mark.parametrize("host", ["example.org", "[2001:db8::1]:8443", "127.0.0.1:80", "localhost"])
def test_a_host_is_believed_with_its_port(app, host):
    assert known(app, {"X-Forwarded-Host": host})[1] == f"http://{host}".removesuffix(":80")


@pytest.mark.parametrize(
    "prefix", ["//evil.example", "/../..", "evil", "/a b", '/"onload="', "/a//b", "https://evil.example"]
)
def test_what_is_no_path_is_not_believed(app, prefix):
    assert known(app, {"X-Forwarded-Prefix": prefix})[1] == "http://localhost"


@pytest.mark.parametrize("public_url", ["https://example.org", "https://example.org/errand"])
def test_the_path_of_public_url_is_believed_rather_than_any_header(public_url):
    url = known(app_with(NEAR, public_url), {"X-Forwarded-Prefix": "/other"})[1]

    assert url == f"http://localhost{public_url.removeprefix('https://example.org')}"


@pytest.mark.parametrize(
    ("forwarded", "told"),
    [
        (f"for={CLIENT}", (CLIENT, "http://localhost")),
        (f'for="{CLIENT}:4711";proto=https;host=example.org', (CLIENT, "https://example.org")),
        (f'FOR={CLIENT};Proto=HTTPS;by="[2001:db8:1::1]"', (CLIENT, "https://localhost")),
        ('for="[2001:db8:2::7]:443";host="example.org:8443"', ("2001:db8:2::7", "http://example.org:8443")),
        (f"for={LIAR};host=evil.example, for={CLIENT};host=example.org, for={FAR}", (CLIENT, "http://example.org")),
        (f'for={CLIENT};proto=https, for="{FAR}";proto=http', (CLIENT, "https://localhost")),
        ("for=unknown;proto=https", ("unknown", "https://localhost")),
        ("for=_hidden, for=_SEVKISEK", ("unknown", "http://localhost")),
        ('for="a, for=b";proto=https', ("unknown", "https://localhost")),
        ("for=;;;", ("unknown", "http://localhost")),
        (f"nonsense, for={CLIENT}", (CLIENT, "http://localhost")),
        (f"for={CLIENT}, nonsense", ("unknown", "http://localhost")),
        ("proto=https", (NEAR, "https://localhost")),
    ],
)
def test_forwarded_says_the_same_in_the_standards_form(app, forwarded, told):
    assert known(app, {"Forwarded": forwarded}) == told


def test_two_headers_that_say_different_things_complete_each_other(app):
    assert known(app, {"Forwarded": f"for={CLIENT}", "X-Forwarded-Proto": "https"}) == (CLIENT, "https://localhost")


def test_two_headers_that_agree_are_believed(app):
    headers = {"Forwarded": f"for={CLIENT};proto=https", "X-Forwarded-For": CLIENT, "X-Forwarded-Host": "example.org"}

    assert known(app, headers) == (CLIENT, "https://example.org")


@pytest.mark.parametrize(
    "changes", [{"Forwarded": f"for={LIAR}"}, {"X-Forwarded-For": LIAR}, {"X-Forwarded-Proto": "https"}]
)
def test_two_headers_that_contradict_each_other_are_refused_as_one_is_the_clients_own(app, changes):
    same = {"Forwarded": f"for={CLIENT};proto=http", "X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "http"}

    answer = ask(app, {**same, **changes})

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert "contradict" in answer.json["detail"]


def test_a_redirect_keeps_the_clients_scheme_host_and_path():
    app = app_with(NEAR)
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "example.org", "X-Forwarded-Prefix": "/errand"}

    answer = app.test_client().get("/jobs//x", headers=headers, environ_overrides={"REMOTE_ADDR": NEAR})

    assert answer.headers["Location"] == "https://example.org/errand/jobs/x"
