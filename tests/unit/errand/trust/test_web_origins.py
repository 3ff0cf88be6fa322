"""Which names a server answers to, and how the origins of web pages are read."""

import socket

import pytest

from errand.trust.web_origins import TrustedHosts, origin_of, parse_hosts, parse_origins


@pytest.mark.parametrize(
    "header",
    [
        "localhost",
        "LOCALHOST:5000",
        "errand.localhost:5000",
        "127.0.0.1:5000",
        "192.168.1.20",
        "[::1]:5000",
        "[fe80::1]",
        "errand.example.com",
        "Errand.Example.Com.:443",
        "a.b.example.org",
        "xn--strae-oqa.example",
        socket.gethostname(),
        "",
    ],
)
def test_it_answers_to_its_own_names_and_to_addresses(header: str) -> None:
    hosts = TrustedHosts(["errand.example.com", ".example.org", *parse_hosts("straße.example")])

    assert hosts.fault_of(header) == ""


@pytest.mark.parametrize(
    "header",
    [
        "evil.example",
        "evil.example:5000",
        "example.org",  # only the names below it
        "errand.example.com.evil.example",
        "notexample.org",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example/@localhost",
        "localhost:5000:80",
        "localhost@evil.example",
        "[::1",
        "[::1].evil.example",
        "2130706433",  # a number is a name to some resolvers
    ],
)
def test_it_answers_to_no_other_name(header: str) -> None:
    hosts = TrustedHosts(["errand.example.com", ".example.org"])

    assert "TRUSTED_HOSTS" in hosts.fault_of(header)


def test_a_star_is_every_name() -> None:
    assert TrustedHosts(["*"]).trusts("evil.example:80")


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        ("https://app.example.com", ("https://app.example.com",)),
        ("https://App.Example.com:443/, http://localhost:3000", ("https://app.example.com", "http://localhost:3000")),
        ("http://[::1]:3000", ("http://[::1]:3000",)),
        ("http://straße.example:80", ("http://xn--strae-oqa.example",)),
    ],
)
def test_origins_are_read_as_browsers_write_them(text: str, origins: tuple[str, ...]) -> None:
    assert parse_origins(text) == origins


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "app.example.com",
        "https://",
        "ftp://example.com",
        "https://example.com/path",
        "https://example.com?x",
        "https://me:secret@example.com",
        "https://example.com:0x50",
        "https://exa mple.com",
        "null",
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|host|name"):
        origin_of(text)


def test_hosts_are_read_as_requests_name_them() -> None:
    found = parse_hosts(" Errand.Example.com., .Straße.example,my_app,127.0.0.1,::1,* ,")

    assert found == ("errand.example.com", ".xn--strae-oqa.example", "my_app", "127.0.0.1", "::1", "*")


@pytest.mark.parametrize(
    "word", ["a.example b.example", "https://a.example", "a.example:5000", "*.example", "a..example", ".", "a/b", "☃"]
)
def test_a_host_that_no_request_can_name_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="host name"):
        parse_hosts(f"a.example,{word}")
