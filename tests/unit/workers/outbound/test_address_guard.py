"""The guard: only the public internet, however a place is written, and what the operator allows besides."""

import asyncio
import socket
from contextlib import suppress
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errand.errors import SettingsRefused
from errand.settings import Settings
from workers.outbound import in_child
from workers.outbound.address_guard import AddressGuard, AddressInfo, AddressRefused, HostUnknown, guard, target

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e"]
PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
]


def checked(by: AddressGuard, host: str) -> list[str]:
    async def resolve(host: str, port: int) -> list[AddressInfo]:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)

    return asyncio.run(by.checked_addresses(host, 80, resolve))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address):
    assert AddressGuard().permits(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_all_others_are_not(address):
    assert not AddressGuard().permits(address)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0177.0.0.1", "1.1.1.1/8", "example.com"])
def test_what_is_no_address_is_not_permitted(text):
    assert not AddressGuard().permits(text)


@given(st.ip_addresses())
def test_what_python_knows_as_private_is_never_permitted(address):
    if not address.is_global:
        assert not AddressGuard().permits(str(address))


def test_what_the_operator_allows_is_permitted_and_nothing_beside_it():
    open_guard = AddressGuard([ip_network("10.1.0.0/16"), ip_network("::1/128")])

    assert open_guard.permits("10.1.2.3")
    assert open_guard.permits("::1")
    assert not open_guard.permits("10.2.0.1")
    assert not open_guard.permits("127.0.0.1")
    assert not open_guard.permits("::ffff:10.1.2.3")


# ---- resolving


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0177.0.0.1", "0x7f.1", "0x7f000001", "0", "::1"]
)
def test_however_this_machine_is_written_it_is_not_connected_to(host):
    with pytest.raises(AddressRefused, match="not on the public internet"):
        checked(AddressGuard(), host)
    with pytest.raises(AddressRefused, match="not on the public internet"):
        asyncio.run(AddressGuard().checked_addresses(host, 80, in_child.resolve))


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0177.0.0.1"])
def test_an_odd_way_to_write_an_allowed_address_gives_the_plain_one(host):
    assert checked(AddressGuard([ip_network("127.0.0.0/8")]), host) == ["127.0.0.1"]


def test_of_several_addresses_only_the_permitted_ones_are_given(monkeypatch):
    found = ["10.0.0.1", "1.1.1.1", "::1", "1.1.1.1", "2606:4700:4700::1111"]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(None, None, 6, "", (each, 80)) for each in found])

    assert checked(AddressGuard(), "many.test") == ["1.1.1.1", "2606:4700:4700::1111"]


def test_a_host_nobody_knows_is_told_apart_from_a_name_server_that_is_silent(monkeypatch):
    def fail(number):
        def getaddrinfo(*_, **__):
            raise socket.gaierror(number, "no")

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    fail(socket.EAI_NONAME)
    with pytest.raises(HostUnknown, match=r"nobody\.test"):
        checked(AddressGuard(), "nobody.test")
    fail(socket.EAI_AGAIN)
    with pytest.raises(ConnectionError, match=r"silent\.test"):
        asyncio.run(AddressGuard().checked_addresses("silent.test", 80, in_child.resolve))


# ---- addresses of the web


@pytest.mark.parametrize(
    ("url", "again"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTPS://Example.COM:443/a%20b?x=1&y=%26#part", "https://example.com/a%20b?x=1&y=%26"),
        ("http://example.com:8080/ä?ö", "http://example.com:8080/%C3%A4?%C3%B6"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://straße.example/", "http://xn--strae-oqa.example/"),
        ("http://βόλος.example/", "http://xn--nxasmm1c.example/"),
        ("http://STRAẞE.example/", "http://xn--strae-oqa.example/"),
        ("http://a。b.example/", "http://a.b.example/"),
        ("http://Ｅxample.example/", "http://example.example/"),
        ("http://例え.テスト:8080/", "http://xn--r8jz45g.xn--zckzah:8080/"),
        ("http://u\u0308ber.example/", "http://xn--ber-goa.example/"),
        ("http://１２７.0.0.1/", "http://127.0.0.1/"),
        ("http://[2606:4700::1111]:8080/", "http://[2606:4700::1111]:8080/"),
        ("https://[::1]/", "https://[::1]/"),
        ("http://2130706433/", "http://2130706433/"),
        ("http://example.com?x", "http://example.com/?x"),
        ("http://example.com./", "http://example.com./"),
        ("http://a_b.example.com/", "http://a_b.example.com/"),
    ],
)
def test_a_plain_address_is_taken_apart(url, again):
    assert target(url).url == again


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "/path",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http:",
        "http://",
        "http:///path",
        "http://:80/",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://127.0.0.1\\.example.com/",
        "http://exa mple.com/",
        "http://exam\tple.com/",
        "http://example.com/\r\nHost: x",
        "http://example.com/\x00",
        "http://example.com:port/",
        "http://example.com:99999/",
        "http://example.com:0/",
        "http://example.com:22/",
        "https://example.com:25/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://[v1.x]/",
        "http://[127.0.0.1]/",
        "http://[1.1.1.1]/",
        "http://example..com/",
        "http://example.com/\ud800",
        "http://-example.com/",
        "http://exämple..com/",
        "http://ex\u2488ample.com/",
        f"http://{'ä' * 64}.com/",
        "http://ex<ample.com/",
        "http://ex%61mple.com/",
        f"http://{'a' * 64}.com/",
        f"http://{'a.' * 130}com/",
        f"http://example.com/{'a' * 2048}",
    ],
)
def test_everything_else_is_refused_in_a_sentence(url):
    with pytest.raises(AddressRefused) as refusal:
        target(url)

    assert refusal.value.detail.endswith(".")
    assert "secret" not in refusal.value.detail


@given(st.text() | st.text(st.characters(categories=["Cs", "Cc", "Po", "Ll"])))
def test_whatever_is_written_is_taken_apart_or_refused(text):
    for url in (text, f"http://{text}", f"http://example.com/{text}"):
        with suppress(AddressRefused):
            assert target(url).url.isascii()


# ---- the setting


@pytest.fixture(autouse=True)
def _guard_of_this_test():
    guard.cache_clear()
    yield
    guard.cache_clear()


def test_the_setting_opens_networks(monkeypatch):
    monkeypatch.setenv("GUARD_ALLOW", "10.1.0.0/16, fd00::/8,")

    assert guard().permits("10.1.0.1")
    assert guard().permits("fd00::1")
    assert not guard().permits("10.2.0.1")


def test_without_it_nothing_is_opened():
    assert not guard().permits("127.0.0.1")


@pytest.mark.parametrize("networks", ["10.1.0.1/16", "everything", "10.0.0.0/8 fd00::/8"])
def test_a_setting_that_is_no_network_is_refused(monkeypatch, networks):
    monkeypatch.setenv("GUARD_ALLOW", networks)

    with pytest.raises(SettingsRefused, match="GUARD_ALLOW"):
        Settings.load()
