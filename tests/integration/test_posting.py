"""Posting from the hub: to the address that was checked and no other, and without holding up what else is on it."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from tests.support.processes import ROOT
from tests.support.smtp import Certificate
from tests.support.web import WebServer, endless, plain, raw
from workers.outbound.address_guard import AddressGuard, Resolve, target
from workers.outbound.http import HttpResponse
from workers.outbound.on_hub import post

HERE = AddressGuard([ip_network("127.0.0.0/8")])


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


def posted(url: str, guarded_by: AddressGuard = HERE, **options) -> HttpResponse:
    return post(target(url), headers={"X": "y"}, body=b"{}", seconds=5, most=10, guarded_by=guarded_by, **options)


class Pointed(AddressGuard):
    """A guard that resolves every name to this machine, until it is asked a second time."""

    asked = 0

    async def checked_addresses(self, host: str, port: int, resolve: Resolve) -> list[str]:
        self.asked += 1
        return ["127.0.0.1"] if self.asked == 1 else ["127.0.0.9"]


def test_the_connection_goes_to_the_very_address_that_was_checked(server):
    guarded_by = Pointed()

    assert posted(f"http://hooks.example:{server.port}/x", guarded_by).status == 200

    assert guarded_by.asked == 1
    [head] = server.requests
    assert head.startswith("POST /x HTTP/1.1\r\n")
    assert f"Host: hooks.example:{server.port}\r\n" in head
    assert server.bodies == [b"{}"]


def test_a_certificate_is_asked_for_by_the_name_and_not_by_the_address(tmp_path):
    certificate = Certificate.make(tmp_path, "hooks.example")
    with WebServer(tls=certificate) as server:
        answer = posted(f"https://hooks.example:{server.port}/", Pointed(), context=certificate.for_client())

    assert answer.status == 200
    assert server.names == ["hooks.example"]


def test_a_response_whose_body_fails_is_returned_without_it(server):
    server.answer = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    answer = posted(server.url())

    assert (answer.status, answer.body, answer.cut) == (200, b"", True)


@pytest.mark.parametrize(
    ("start", "part"),
    [(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), (b"HTTP/1.1 200 OK\r\n", b"X-Long: xxx\r\n")],
    ids=["interim responses", "headers"],
)
def test_a_head_without_end_is_given_up(server, start, part):
    server.answer = endless(start, part * 1000)

    with pytest.raises(ConnectionError):
        posted(server.url())

    server.wait_until(lambda: server.ended == 1)


def test_of_an_answer_no_more_is_read_than_asked_for(server):
    server.answer = plain(b"0123456789abc")

    answer = posted(server.url())

    assert (answer.body, answer.cut) == (b"0123456789", True)


def test_the_environment_names_no_proxy(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert posted(server.url()).status == 200


# ---- the hub goes on meanwhile

ON_THE_HUB = """
from workers import green; green.monkey_patch()
import eventlet
import json, sys
from eventlet.support import greendns
from ipaddress import ip_network
from time import monotonic
from workers.outbound.address_guard import AddressGuard, target
from workers.outbound.on_hub import post

url, name_server = sys.argv[1], int(sys.argv[2])
greendns.resolver._resolver.nameservers, greendns.resolver._resolver.port = ["127.0.0.1"], name_server
gaps, last = [], monotonic()

def tick():
    global last
    while True:
        eventlet.sleep(0.01)
        gaps.append(monotonic() - last)
        last = monotonic()

eventlet.spawn(tick)
eventlet.sleep(0)
began, told = monotonic(), "an answer"
try:
    loopback = AddressGuard([ip_network("127.0.0.0/8")])
    post(target(url), headers={}, body=b"{}", seconds=1, most=10**9, guarded_by=loopback)
except Exception as fault:
    told = type(fault).__name__
print(json.dumps([told, monotonic() - began, max(gaps), len(gaps)]))
"""


@pytest.mark.parametrize("slow", ["name server", "receiver", "endless receiver"])
def test_whoever_is_slow_is_waited_for_in_time_and_beside_everything_else(server, slow):
    server.silent = slow == "receiver"
    server.answer = endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1_000_000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as name_server:
        name_server.bind(("127.0.0.1", 0))
        url = "http://hooks.example/" if slow == "name server" else server.url()
        command = [sys.executable, "-W", "ignore", "-c", ON_THE_HUB, url, str(name_server.getsockname()[1])]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)

    told, took, longest_gap, ticks = json.loads(run.stdout)
    assert told == ("an answer" if slow == "endless receiver" else "HostLate")
    assert 0.9 < took < 3
    assert longest_gap < 0.5
    assert ticks > 20
