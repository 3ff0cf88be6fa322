"""Fetch against a real web server that behaves well, badly, or tries to lead it into the operator's own network."""

import asyncio
import gzip
import socket
import threading
import zlib
from collections.abc import Iterator
from time import monotonic

import brotli
import pytest

from tests.conftest import missing
from tests.support.smtp import HAS_OPENSSL, Certificate
from tests.support.web import WebServer, endless, plain, raw
from workers.compute.attempt import failed
from workers.operations import OPERATIONS
from workers.operations import fetch as fetch_module
from workers.operations.fetch import MAX_BYTES, Fetched, fetch
from workers.outbound import http
from workers.outbound.address_guard import AddressRefused, HostUnknown, guard
from workers.outbound.http import CertificateRefused

HERE = "127.0.0.0/8,::1/128"
OPEN_END = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"


@pytest.fixture(autouse=True)
def allowed(monkeypatch) -> Iterator[None]:
    """Let this machine be fetched from, and let nothing that was read once outlive a test."""
    monkeypatch.setenv("GUARD_ALLOW", HERE)
    for cached in (guard, http.tls_context):
        cached.cache_clear()
    yield
    for cached in (guard, http.tls_context):
        cached.cache_clear()


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Certificate:
    if not HAS_OPENSSL:
        missing("the openssl command is not installed (apt-get install openssl)")
    return Certificate.make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def hurried(monkeypatch) -> None:
    """Half a second for everything."""
    monkeypatch.setattr(fetch_module, "SECONDS", 0.5)


def get(url: str) -> Fetched:
    return asyncio.run(fetch(url))


def worth_another_attempt(error: BaseException) -> bool:
    return failed(error, OPERATIONS["fetch"].retry_on).retryable


# ---- what comes back


def test_a_page_is_given_with_what_is_worth_knowing(server):
    server.answer = plain(
        "grüße".encode(), "Content-Type: text/html; charset=utf-8", "ETag: x", "X-Odd: y", "Vary: a", "Vary: b"
    )

    page = get(server.url("/a?b=1#c"))

    assert (page.status, page.text, page.bytes, page.truncated) == (200, "grüße", 7, False)
    assert page.content_type == "text/html; charset=utf-8"
    assert page.headers == {"content-length": "7", "etag": "x", "vary": "a, b"}
    assert page.location is None
    assert 0 < page.seconds < 10
    [request] = server.requests
    assert request.startswith("GET /a?b=1 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n" in request
    assert "Accept-Encoding: identity\r\n" in request


def test_an_error_page_is_an_answer_like_any_other(server):
    server.answer = plain(b"gone", status="404 Not Found")

    assert (get(server.url()).status, get(server.url()).text) == (404, "gone")


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("/elsewhere", "http://127.0.0.1:{port}/elsewhere"),
        ("http://169.254.169.254/latest/meta-data/", "http://169.254.169.254/latest/meta-data/"),
        ("file:///etc/passwd", "file:///etc/passwd"),
        ("http://[", "http://["),
        ("/ziel?x=ü", "http://127.0.0.1:{port}/ziel?x=%C3%BC"),
        ("ziel#ü", "http://127.0.0.1:{port}/ziel#%C3%BC"),
        ("//straße.example/é é", "http://xn--strae-oqa.example/%C3%A9%20%C3%A9"),
        ("HTTP://Example.COM:80/%7Ea/../b", "http://example.com/b"),
        ("\\\\other.example\\a", "http://other.example/a"),
        ("?x=%C3%BC&y=%zz", "http://127.0.0.1:{port}/from?x=%C3%BC&y=%zz"),
    ],
)
def test_a_redirect_is_told_and_not_followed(server, location, told):
    server.answer = plain(b"", f"Location: {location.encode().decode('latin-1')}", status="302 Found")  # raw UTF-8

    page = get(server.url("/from"))

    assert page.status == 302
    assert page.location == told.format(port=server.port)
    assert server.connections == 1


def test_a_redirect_in_latin_1_keeps_its_bytes(server):
    server.answer = raw(b"HTTP/1.1 302 Found\r\nLocation: /z\xfc?x=\xe9\r\nContent-Length: 0\r\n\r\n")

    assert get(server.url("/from")).location == server.url("/z%FC?x=%E9")


def test_a_body_in_chunks_is_put_together(server):
    server.answer = raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")

    assert get(server.url()).text == "abcde"


def test_a_body_without_end_is_cut_and_the_connection_closed(server):
    server.answer = endless(OPEN_END, b"x" * 100_000)

    page = get(server.url())

    assert (page.bytes, page.truncated) == (MAX_BYTES, True)
    assert page.text == "x" * MAX_BYTES
    server.wait_until(lambda: server.ended == 1)


def test_a_body_of_the_largest_size_is_whole(server):
    server.answer = plain(b"x" * MAX_BYTES)

    page = get(server.url())

    assert (page.bytes, page.truncated) == (MAX_BYTES, False)


@pytest.mark.parametrize(
    ("name", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress)]
)
def test_a_body_that_was_compressed_unasked_is_read(server, name, encode):
    server.answer = plain(encode("grüße".encode()), f"Content-Encoding: {name}", "Content-Type: text/plain")

    page = get(server.url())

    assert (page.text, page.bytes, page.truncated) == ("grüße", 7, False)
    assert page.headers["content-encoding"] == name


def test_a_bomb_is_cut_off(server):
    server.answer = plain(gzip.compress(b"x" * 100 * MAX_BYTES), "Content-Encoding: gzip")

    page = get(server.url())

    assert (page.text, page.bytes, page.truncated) == ("x" * MAX_BYTES, MAX_BYTES, True)


def test_a_body_that_is_not_compressed_as_it_says_is_no_text(server):
    server.answer = plain(b"abc", "Content-Encoding: zstd")

    assert (get(server.url()).text, get(server.url()).bytes) == (None, 3)


# ---- whom it asks


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0177.0.0.1", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_this_machine_is_not_asked_unless_the_operator_allows_it(server, monkeypatch, host):
    monkeypatch.setenv("GUARD_ALLOW", "10.0.0.0/8")

    with pytest.raises(AddressRefused) as refusal:
        get(server.url(host=host))

    assert server.connections == 0
    assert not worth_another_attempt(refusal.value)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://user:pw@127.0.0.1/", "http://127.0.0.1:22/", "x"])
def test_what_is_no_plain_address_is_refused(url):
    with pytest.raises(AddressRefused):
        get(url)


def test_a_host_that_points_elsewhere_a_moment_later_is_asked_where_it_was_checked(server, monkeypatch):
    asked = []
    answers = iter(["127.0.0.1", "169.254.169.254"])

    def getaddrinfo(host, port, *_, **__):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    assert get(server.url(host="rebinding.test")).status == 200
    assert asked == ["rebinding.test"]
    assert f"Host: rebinding.test:{server.port}\r\n" in server.requests[0]


def test_of_several_addresses_the_next_is_tried_when_one_does_not_answer(server, monkeypatch):
    def getaddrinfo(host, port, *_, **__):
        return [(socket.AF_INET, 1, 6, "", (each, port)) for each in ("10.0.0.1", "127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    assert get(server.url(host="several.test")).status == 200


def test_an_ipv6_address_is_asked_as_one():
    try:
        server = WebServer(host="::1").__enter__()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server:
        assert get(server.url()).status == 200
        assert f"Host: [::1]:{server.port}\r\n" in server.requests[0]


def test_a_proxy_of_the_environment_is_not_asked(server, monkeypatch):
    with WebServer() as trap:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, trap.url())

        assert get(server.url()).status == 200
        assert trap.connections == 0


def test_a_host_nobody_knows_is_not_asked_for_again():
    with pytest.raises((HostUnknown, ConnectionError)) as fault:
        get("http://no-such-host.invalid/")

    # a machine without any name server can't tell, and would try again
    assert worth_another_attempt(fault.value) == isinstance(fault.value, ConnectionError)


# ---- certificates


def test_a_trusted_certificate_of_the_name_is_taken(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
    with WebServer(plain(b"safe"), tls=certificate) as server:
        assert get(server.url(host="localhost")).text == "safe"
        assert server.names == ["localhost"]
        assert get(server.url()).text == "safe"


def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent(certificate):
    with WebServer(tls=certificate) as server:
        with pytest.raises(CertificateRefused, match="self-signed") as refusal:
            get(server.url())

        server.wait_until(lambda: server.ended == 1)
        assert server.requests == []
        assert not worth_another_attempt(refusal.value)


def test_a_certificate_of_another_name_is_refused(tmp_path, monkeypatch):
    if not HAS_OPENSSL:
        missing("the openssl command is not installed (apt-get install openssl)")
    elsewhere = Certificate.make(tmp_path, "elsewhere.test")
    monkeypatch.setenv("SSL_CERT_FILE", str(elsewhere.certificate))
    with WebServer(tls=elsewhere) as server:
        with pytest.raises(CertificateRefused, match="localhost"):
            get(server.url(host="localhost"))

        assert server.requests == []


# ---- what goes wrong


def test_a_silent_server_is_left_in_time(server, hurried):
    server.silent = True
    started = monotonic()

    with pytest.raises(TimeoutError, match=r"127\.0\.0\.1 didn't answer within 0\.5 seconds\.") as fault:
        get(server.url())

    assert monotonic() - started < 3
    assert worth_another_attempt(fault.value)
    server.wait_until(lambda: server.ended == 1)


def test_a_server_that_never_begins_tls_is_left_in_time_and_nothing_stays_open(server, hurried):
    server.silent = True

    async def get_and_look() -> None:
        with pytest.raises(TimeoutError):
            await fetch(server.url().replace("http:", "https:"))
        # while the loop still runs: its end would close everything
        await asyncio.to_thread(server.wait_until, lambda: server.ended == 1)

    asyncio.run(get_and_look())


def test_a_server_that_drips_is_left_in_time(server, hurried):
    def drip(connection: socket.socket) -> None:
        connection.sendall(OPEN_END)
        while not server.stopping.wait(0.05):
            connection.sendall(b"x")

    server.answer = drip

    with pytest.raises(TimeoutError):
        get(server.url())

    server.wait_until(lambda: server.ended == 1)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 300_000,
    ],
    ids=["nothing", "another protocol", "too short", "no chunks", "headers without end"],
)
def test_an_answer_that_is_none_is_worth_another_attempt(server, answer):
    server.answer = raw(answer)

    with pytest.raises(ConnectionError, match=r"The connection to 127\.0\.0\.1 failed: .") as fault:
        get(server.url())

    assert worth_another_attempt(fault.value)


def test_nobody_listening_is_worth_another_attempt():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # not listening, so whoever connects is refused

        with pytest.raises(ConnectionError) as fault:
            get(f"http://127.0.0.1:{bound.getsockname()[1]}/")

    assert worth_another_attempt(fault.value)


def test_a_server_that_speaks_no_tls_is_worth_another_attempt(server):
    with pytest.raises(ConnectionError):
        get(server.url().replace("http:", "https:"))


# ---- many at a time


def test_a_hundred_wait_beside_each_other(server):
    together = threading.Barrier(100, timeout=10)

    def meet(connection: socket.socket) -> None:
        together.wait()  # answered only once all hundred are there
        plain(b"met")(connection)

    server.answer = meet

    async def get_all() -> list[Fetched]:
        return await asyncio.gather(*(fetch(server.url(f"/{n}")) for n in range(100)))

    assert {page.text for page in asyncio.run(get_all())} == {"met"}
