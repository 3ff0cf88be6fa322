"""`examples/live/` as its row in the issue has it: web sockets as programs and browsers use them, and as attackers do.

Each look leaves pictures of what it saw in the test's folder of `--basetemp`.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from errand.process.waiting import until
from examples.live.visitors import MOST
from schemas.operations import Operation
from schemas.status import Status
from tests.support.browser import open_form
from tests.support.jobs import accepted, claimed, ended, succeeded
from tests.support.look import Look
from tests.support.ports import LOCALHOST, free_port
from tests.support.processes import Running
from tests.support.stack import Stack, running
from tests.support.valkey import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

LIVE = "examples.live"
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def settings(valkey: Server, **more: str) -> dict[str, str]:
    servers = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": valkey.fresh_url()}
    return {**servers, "MAIL_ENABLED": "false", "EXAMPLES": LIVE, **more}


def api_alone(stack: Stack) -> None:
    stack.api.start()


@pytest.fixture(scope="module")
def errand(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An API for most of these tests, without workers: the tests do what they would."""
    with running(tmp_path_factory.mktemp("live"), settings(valkey), api_alone) as stack:
        yield stack


@pytest.fixture
def api_url(errand: Stack) -> str:
    """The address of its API, where no job is."""
    client = errand.store.client
    for key in client.scan_iter("errand:*"):
        client.delete(key)
    return errand.url


@pytest.fixture
def look(browser_page: "Page", api_url: str, tmp_path: Path) -> Look:
    """A browser that looks at the page."""
    return Look(browser_page, tmp_path, api_url)


def address(stack: Stack) -> str:
    return f"ws://{LOCALHOST}:{stack.get('/live/address').json()['port']}/"


@contextmanager
def listening(stack: Stack, **options: Any) -> Iterator[ClientConnection]:
    """Connect, and wait until nothing is missed any more."""
    with connect(address(stack), **options) as connection:
        assert told(connection) == {"event": "listening"}
        yield connection


def refused(stack: Stack, **options: Any) -> int:
    """Fail to connect, and give the status that tells why."""
    with pytest.raises(InvalidStatus) as refusal, listening(stack, **options):
        pass
    return int(refusal.value.response.status_code)


def told(connection: ClientConnection) -> dict[str, Any]:
    return json.loads(connection.recv(timeout=10))


def opened(page: "Page", url: str) -> "Page":
    page.goto(f"{url}/live")
    page.get_by_text("Live", exact=True).wait_for()
    return page


# ---- programs


def test_each_connection_is_told_what_happens_to_every_job(errand, api_url) -> None:
    with listening(errand) as one, listening(errand) as other:
        lease = claimed(errand.store)
        errand.store.renew([lease], 30, {lease.id: '{"progress": 0.5, "message": "half"}'}, [(lease.id, HOSTILE)])
        succeeded(errand.store, lease)
        failed = claimed(errand.store)
        ended(errand.store, failed, Status.FAILED, '{"type":"Error","message":"no"}')

        for connection in (one, other):
            events = [told(connection) for _ in range(8)]
            first = [each for each in events if each["id"] == lease.id]
            assert [each["status"] for each in first if each["event"] == "status"] == [
                "accepted",
                "running",
                "succeeded",
            ]
            assert [each["progress"] for each in first if each["event"] == "progress"] == [0.5]
            assert [each["line"] for each in first if each["event"] == "log"] == [HOSTILE]
            assert [each["status"] for each in events if each["id"] == failed.id] == ["accepted", "running", "failed"]


def test_pages_of_other_sites_are_kept_out(errand, api_url) -> None:
    port = address(errand).rpartition(":")[2].strip("/")
    with listening(errand, origin=f"http://{LOCALHOST}:{errand.port}"):
        pass

    others = ("http://evil.example", f"http://{LOCALHOST}.evil.example", f"http://evil@{LOCALHOST}.example", "null", "")
    other_servers = (f"https://{LOCALHOST}", f"http://{LOCALHOST}", f"http://{LOCALHOST}:{port}")
    for origin in (*others, *other_servers):
        assert refused(errand, origin=origin) == 403, origin
    with socket.create_connection((LOCALHOST, int(port))) as raw:  # a name that a stranger has made lead here
        raw.sendall(HANDSHAKE.replace(b"localhost", b"evil.example"))
        assert raw.recv(100).startswith(b"HTTP/1.1 421 ")
    with socket.create_connection((LOCALHOST, int(port))) as raw:  # and what is no web socket at all
        raw.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 426 ")


def test_clients_that_talk_hang_or_are_too_many_disturb_nobody(errand, api_url) -> None:
    with listening(errand) as well_behaved, ExitStack() as stack:
        talker = stack.enter_context(listening(errand))
        talker.send("x" * 2000)
        with pytest.raises(ConnectionClosed) as ended_it:
            talker.recv(timeout=10)
        assert ended_it.value.rcvd.code == 1009
        for garbage in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 500):
            port = int(address(errand).rpartition(":")[2].strip("/"))
            stack.enter_context(socket.create_connection((LOCALHOST, port))).sendall(garbage)

        for _ in range(MOST - 1):
            stack.enter_context(listening(errand, close_timeout=0))

        assert refused(errand) == 503
        job_id = accepted(errand.store)
        assert told(well_behaved)["id"] == job_id
        assert errand.get("/healthz").ok
    until(lambda: _can_connect(errand), 10, "room for another one")
    assert "Traceback" not in errand.api.output()


def _can_connect(stack: Stack) -> bool:
    try:
        with listening(stack):
            return True
    except InvalidStatus:
        return False


def test_connections_end_with_the_server(valkey: Server, tmp_path: Path) -> None:
    with running(tmp_path, settings(valkey), api_alone) as stack, listening(stack) as connection:
        assert stack.api.stop(patience=5) == 0

        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=5)


def test_several_processes_share_a_chosen_port(valkey: Server, tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, settings(valkey, LIVE_PORT=str(port), API_PROCESSES="2"), api_alone) as stack:
        assert {stack.get("/live/address").json()["port"] for _ in range(10)} == {port}

        with ExitStack() as connections:
            everybody = [connections.enter_context(listening(stack)) for _ in range(10)]
            job_id = accepted(stack.store)
            assert {told(each)["id"] for each in everybody} == {job_id}


def test_a_port_that_is_taken_or_none_is_told(valkey: Server, tmp_path: Path) -> None:
    with socket.create_server((LOCALHOST, 0)) as taken:
        env = settings(valkey, LIVE_PORT=str(taken.getsockname()[1]))
        with running(tmp_path, env, api_alone) as stack:
            answer = stack.get("/live/address")
            assert answer.status_code == 503
            assert answer.json()["detail"] == "The web socket server can't listen: Address already in use."

    env["LIVE_PORT"] = "65536"
    api = Running.module("api", log=tmp_path / "refused.log", env=env, cwd=tmp_path)
    api.start()
    assert api.process.wait(30) == 2
    assert api.output() == "errand: LIVE_PORT: Input should be less than or equal to 65535\n"


def test_while_the_store_is_away_clients_are_told_to_come_again(valkey: Server, tmp_path: Path) -> None:
    env = settings(valkey, REDIS_URL=f"redis://{LOCALHOST}:{free_port()}/0")
    with running(tmp_path, env, api_alone) as stack, connect(address(stack)) as connection:
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=20)

        assert closed.value.rcvd.code == 1013


# ---- browsers


def test_jobs_appear_and_change_on_the_page_by_themselves(errand, look: Look) -> None:
    sum_ = Operation(name="sum", arguments={"type": "object"})
    errand.store.publish_catalogue({"sum": sum_.model_dump_json()})  # as a worker does
    page = opened(look.page, errand.url)
    page.get_by_text("There are no jobs.").wait_for()
    look.is_good("empty")

    page.get_by_role("button", name="Add 30 and 10").click()
    row = page.locator("#jobs li")
    row.get_by_text("accepted").wait_for()
    [job] = errand.get("/jobs").json()["jobs"]
    [lease] = errand.store.claim_these([job["id"]], "worker", 30)
    row.get_by_text("running").wait_for()
    errand.store.renew([lease], 30, {lease.id: '{"progress": 0.5, "message": "half of it"}'}, [])
    row.get_by_text("half of it").wait_for()
    assert row.locator("progress").evaluate("bar => bar.value") == 0.5
    succeeded(errand.store, lease)
    row.get_by_text("succeeded").wait_for()
    row.locator("progress").wait_for(state="hidden")

    other = claimed(errand.store)
    errand.store.renew([other], 30, {}, [(other.id, HOSTILE)])
    page.get_by_text(HOSTILE).wait_for()
    ended(errand.store, claimed(errand.store), Status.FAILED, '{"type":"Error","message":"no"}')
    page.get_by_text("failed").wait_for()
    assert page.locator("#jobs span").all_inner_texts() == ["failed", "running", "succeeded"]
    look.is_good("jobs")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getBoundingClientRect().height") >= 44
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert look.complaints == []


def test_many_events_at_once_end_in_what_the_jobs_are_now(errand, look: Look) -> None:
    page = opened(look.page, errand.url)

    leases = [claimed(errand.store) for _ in range(120)]
    for lease in leases:
        errand.store.renew([lease], 30, {}, [(lease.id, "a line")])
        succeeded(errand.store, lease)

    newest = [f"/jobs/{lease.id}" for lease in reversed(leases)][:50]
    page.locator(f"[data-status=succeeded] a[href='{newest[0]}']").wait_for()
    assert page.locator("[data-status=succeeded]").count() == len(newest)
    assert page.locator("#jobs a").evaluate_all("all => all.map(a => a.getAttribute('href'))") == newest
    assert look.complaints == []


def test_a_lost_server_is_found_again_on_another_port(valkey: Server, browser_page: "Page", tmp_path: Path) -> None:
    with running(tmp_path, settings(valkey), api_alone) as stack:
        page = opened(browser_page, stack.url)

        stack.api.stop()
        page.get_by_text("Connection lost, trying again").wait_for()
        page.get_by_role("button", name="Add 30 and 10").click()
        page.get_by_text("The server can't be reached.").wait_for()
        accepted(stack.store)  # meanwhile
        stack.api.start()

        page.get_by_text("Live", exact=True).wait_for(timeout=20_000)
        page.locator("#jobs li").get_by_text("accepted").wait_for()
        lease, *_ = stack.store.claim("compute", 10, "worker", 30)
        succeeded(stack.store, lease)
        page.locator("#jobs li").get_by_text("succeeded").wait_for()


def test_try_it_out_in_swagger_ui_tells_where_to_connect(errand, look: Look) -> None:
    form = open_form(look.page, errand.url, "/live/address", "get", examples=True)

    assert form.execute() == "200"
    assert '"port":' in form.answer.inner_text()
