"""The HTTP entrypoint of plug-ins: what it answers, clients that misbehave, a port that is in use, and its end."""

import re
import resource
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from errand.process.waiting import until
from tests.support.plugins import Instances, instances
from tests.support.ports import LOCALHOST, free_port
from tests.support.webplugin.service import SECRET

SITE = "tests.support.webplugin"
MIB = 1_048_576


@pytest.fixture(scope="module")
def servers(valkey, tmp_path_factory) -> dict[str, str]:
    return {"REDIS_URL": valkey.url(), "AMQP_URI": valkey.fresh_url(), "KEY_PREFIX": "test-http:"}


@pytest.fixture(scope="module")
def shared(servers, tmp_path_factory) -> Iterator[tuple[int, Instances]]:
    """The port of a site that all tests share which leave it as it is."""
    port = free_port()
    env = {**servers, "WEB_SERVER_ADDRESS": f"{LOCALHOST}:{port}"}
    with instances(tmp_path_factory.mktemp("site"), env, SITE) as here:
        here.start("site", listening=0)
        yield port, here


@pytest.fixture
def site(shared) -> Iterator[Callable[..., requests.Response]]:
    """Asks the site, on one connection; at the end it must be there still, the same as before."""
    port, _ = shared

    def ask(method: str, path: str, **options) -> requests.Response:
        return session.request(method, f"http://{LOCALHOST}:{port}{path}", timeout=20, **options)

    with requests.Session() as session:
        before = ask("GET", "/pid").text
        yield ask
        assert ask("GET", "/pid").text == before


def test_a_method_answers_with_a_text_or_with_a_status_and_headers_too(site) -> None:
    text, all_of_it = site("GET", "/pid"), site("GET", "/whole/7")

    assert (text.status_code, text.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert text.headers["X-Content-Type-Options"] == "nosniff"
    assert (all_of_it.status_code, all_of_it.headers["X-Value"], all_of_it.text) == (201, "7", "made")
    assert (site("HEAD", "/pid").text, site("PUT", "/body", data=b"x" * MIB).text) == ("", str(MIB))


@pytest.mark.parametrize(
    ("request_", "options", "status", "told"),
    [
        (("GET", "/nowhere"), {}, 404, "not found"),
        (("GET", "/whole/x"), {}, 404, "not found"),
        (("GET", "/whole/" + "1" * 5000), {}, 404, "not found"),
        (("DELETE", "/body"), {}, 405, "not allowed"),
        (("GET", "/missing"), {}, 400, "There is none."),
        (("PUT", "/body"), {"data": b"x" * (MIB + 1)}, 413, "exceeds"),
        (("POST", "/json"), {"data": "{"}, 415, "Content-Type"),
        (("POST", "/json"), {"data": "{", "headers": {"Content-Type": "application/json"}}, 400, "decode"),
        (("GET", "/pid"), {"headers": {"Host": "evil.example"}}, 421, "TRUSTED_HOSTS"),
        (("GET", "/broken"), {}, 500, "it was logged"),
        (("GET", "/no-text"), {}, 500, "it was logged"),
    ],
)
def test_what_goes_wrong_is_a_problem_that_gives_nothing_away(site, request_, options, status, told) -> None:
    answer = site(*request_, **options)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text
    assert answer.json()["status"] == status
    assert told in answer.json()["detail"]
    assert SECRET not in answer.text
    assert "Allow" in answer.headers or status != 405


STARTS = [
    b"",
    b"GET",
    b"GET /pid HTTP/1.1\r\nHost: localhost\r\n",
    b"PUT /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf",
    b"PUT /body HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\0" * 100_000,
    b"GET /pid HTTP/1.1\r\n" + b"X: y\r\n" * 100_000,
]


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_connections_that_break_at_any_point_end_nothing(site, shared, reset: bool) -> None:
    for start in STARTS * 3:
        with socket.create_connection((LOCALHOST, shared[0])) as client:
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            try:
                client.sendall(start)
            except OSError:
                continue  # it has heard enough

    assert site("GET", "/whole/1").text == "made"


def test_more_clients_than_it_takes_wait_for_their_turn(site, shared) -> None:
    idle = [socket.create_connection((LOCALHOST, shared[0])) for _ in range(220)]
    try:
        late = socket.create_connection((LOCALHOST, shared[0]), timeout=20)
        late.sendall(b"GET /pid HTTP/1.0\r\n\r\n")
    finally:
        for client in idle:
            client.close()

    with late:
        assert late.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_a_process_without_files_to_spare_takes_connections_again_when_it_has_some(tmp_path: Path, servers) -> None:
    address = LOCALHOST, free_port()
    with instances(tmp_path, {**servers, "WEB_SERVER_ADDRESS": f"{LOCALHOST}:{address[1]}"}, SITE) as here:
        worker = here.start("site", listening=0)
        resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE, (48, 48))
        idle = [socket.create_connection(address, timeout=20) for _ in range(60)]
        until(lambda: "action=accept_failed" in worker.output(), 20, "a connection it has no file for")
        for client in idle:
            client.close()

        assert requests.get(f"http://{LOCALHOST}:{address[1]}/pid", timeout=20).text == str(worker.process.pid)


@pytest.mark.parametrize("whose", ["a stranger's", "another's"])
def test_a_port_in_use_ends_the_worker_with_a_sentence(shared, tmp_path: Path, servers, whose: str) -> None:
    with socket.create_server((LOCALHOST, 0)) as stranger, instances(tmp_path, servers, SITE) as here:
        port = stranger.getsockname()[1] if whose == "a stranger's" else shared[0]
        address = f"{LOCALHOST}:{port}"

        with pytest.raises(AssertionError, match="status 2"):
            here.start("site", listening=0, WEB_SERVER_ADDRESS=address)

    (log,) = tmp_path.glob("*.log")
    told = f"errand: WEB_SERVER_ADDRESS: site can't listen on {address} (Address already in use); stop what listens"
    assert log.read_text().startswith(told)
    assert len(log.read_text().splitlines()) == 1


def test_what_is_at_hand_is_answered_before_it_stops_and_nobody_who_is_idle_holds_it_up(
    tmp_path: Path, servers
) -> None:
    port = free_port()
    answers = []
    with instances(tmp_path, {**servers, "WEB_SERVER_ADDRESS": f"{LOCALHOST}:{port}"}, SITE) as here:
        worker = here.start("site", listening=0)
        with requests.Session() as idle:
            idle.get(f"http://{LOCALHOST}:{port}/pid", timeout=20)
            asking = threading.Thread(
                target=lambda: answers.append(requests.get(f"http://{LOCALHOST}:{port}/slow", timeout=20))
            )
            asking.start()
            until(lambda: len(connections_of(port)) >= 2, 10, "the request under way")

            worker.process.terminate()
            asking.join()

            assert worker.process.wait(timeout=8) == 0  # and not after the 10 seconds of its grace
    assert (answers[0].status_code, len(answers[0].text)) == (200, 1_000_000)


def test_its_port_is_free_for_the_next_instance_as_soon_as_it_has_ended_however(tmp_path: Path, servers) -> None:
    port = free_port()
    with instances(tmp_path, {**servers, "WEB_SERVER_ADDRESS": str(port)}, SITE) as here:
        for _ in range(2):
            worker = here.start("site", listening=0)
            assert requests.get(f"http://{LOCALHOST}:{port}/pid", timeout=20).text == str(worker.process.pid)
            worker.kill9()


def test_on_port_0_it_tells_where_it_listens(tmp_path: Path, servers) -> None:
    with instances(tmp_path, {**servers, "WEB_SERVER_ADDRESS": f"{LOCALHOST}:0"}, SITE) as here:
        both = [here.start("site", listening=0) for _ in range(2)]
        for worker in both:
            (url,) = re.findall(r"site answers on (http://127\.0\.0\.1:[1-9]\d+)", worker.output())
            assert requests.get(f"{url}/pid", timeout=20).text == str(worker.process.pid)


def connections_of(port: int) -> list[str]:
    """List the connections that a server on this port has."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return [line for line in lines if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "01"]
