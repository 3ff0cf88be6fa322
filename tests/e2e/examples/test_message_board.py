"""`examples/message_board/` as its row in the issue has it: over HTTP, in a real browser, and as tutorials test it.

Each look leaves pictures of what it saw in the test's folder of `--basetemp`.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
import requests

from errand.process.waiting import until
from examples.message_board.store import LONGEST, MOST, Messages
from tests.support.browser import open_form
from tests.support.look import Look
from tests.support.processes import Running
from tests.support.sse import told
from tests.support.stack import Stack, running
from tests.support.tutorial import follow_tutorial
from tests.support.valkey import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

BOARD = "examples.message_board"
UNKNOWN = "There is no message with this id, or it has expired."
HOSTILE = (
    '<script>alert("script")</script>',
    "<img src=x onerror=alert('img')><svg onload=alert('svg')>",
    "</p></li></ul><h1>Out</h1>",
    "{{ 7 * 7 }} ${7 * 7} <%= 7 * 7 %> %s %(x)s",
    "'; DROP TABLE messages; -- \r\nFLUSHALL\r\n*1\r\n$8\r\nFLUSHALL\r\n",
    "data: x\n\nevent: message\ndata: y",
    "\u202egnirts a\u202c and a zero\x00 byte",
    "Z" + "\u0335\u0317\u0341" * 100,
    "w" * LONGEST,
    '{"__type__": "evil", "__value__": 1}',
)


@pytest.fixture(scope="module")
def errand(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Errand with the board, for most of these tests."""
    env = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": valkey.fresh_url(), "MAIL_ENABLED": "false", "EXAMPLES": BOARD}
    with running(tmp_path_factory.mktemp("board"), env) as stack:
        yield stack


@pytest.fixture
def store(errand: Stack) -> Iterator[redis.Redis]:
    """Its Redis, which has no message yet."""
    client = redis.Redis.from_url(errand.env["REDIS_URL"], decode_responses=True)
    for key in keys_of(client):
        client.delete(key)
    with client:
        yield client


@pytest.fixture
def api_url(errand: Stack, store: redis.Redis) -> str:
    """The address of its API."""
    return errand.url


@pytest.fixture
def look(browser_page: "Page", api_url: str, tmp_path: Path) -> Look:
    """A browser that looks at the board."""
    return Look(browser_page, tmp_path, api_url)


def keys_of(client: redis.Redis) -> list[str]:
    return list(client.scan_iter("errand:message_board:*"))


def write(errand: Stack, message: object) -> requests.Response:
    return errand.post("/messages", {"message": message})


def texts(errand: Stack) -> list[str]:
    return [each["message"] for each in errand.get("/messages").json()["messages"]]


def opened(page: "Page", url: str) -> "Page":
    page.goto(f"{url}/board")
    page.get_by_text("Live", exact=True).wait_for()
    return page


def shown(page: "Page") -> list[str]:
    return page.locator("#messages li p").all_text_contents()


# ---- over HTTP


def test_what_is_written_can_be_read_until_it_expires(on_each, tmp_path: Path) -> None:
    with running(tmp_path, on_each | {"EXAMPLES": BOARD, "MESSAGE_TTL": "3"}) as stack:
        message_id = write(stack, "Nameko is awesome!").json()["id"]

        one = stack.get(f"/messages/{message_id}")
        (listed,) = stack.get("/messages").json()["messages"]

        assert one.json() == {"id": message_id, "message": "Nameko is awesome!"}
        assert (listed["id"], listed["message"]) == (message_id, "Nameko is awesome!")
        assert 0 < listed["expires_in"] <= 3000
        until(lambda: not texts(stack), 10, "the board empty again")
        gone = stack.get(f"/messages/{message_id}")
        assert (gone.status_code, gone.json()["detail"]) == (404, UNKNOWN)
        prefix = stack.env["KEY_PREFIX"]
        until(lambda: not list(stack.store.client.scan_iter(f"{prefix}message_board:*")), 10, "nothing left in Redis")


def test_a_time_that_can_not_be_is_refused_at_the_start(on_rabbitmq, tmp_path: Path) -> None:
    env = {**on_rabbitmq, "EXAMPLES": BOARD, "MESSAGE_TTL": "0"}
    worker = Running.module("workers", "message_service", log=tmp_path / "log", env=env, cwd=tmp_path)

    worker.start()

    assert worker.process.wait(30) == 2
    assert worker.output() == "errand: MESSAGE_TTL: Input should be greater than or equal to 1\n"


def test_hostile_text_is_given_as_it_was_written(errand, store) -> None:
    for text in HOSTILE:
        assert errand.get(f"/messages/{write(errand, text).json()['id']}").json()["message"] == text

    assert texts(errand) == [*reversed(HOSTILE)]
    for message_id in ("nothing", "0" * 32, "..%2F..%2Fmetrics", "*", "ids", "%00", "%ED%A0%80", "a" * 5000):
        answer = errand.get(f"/messages/{message_id}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("message", [None, "", " \n", 7, ["a"], {"a": 1}, "x" * (LONGEST + 1)])
def test_what_is_no_message_is_refused_with_a_sentence(errand, store, message) -> None:
    answer = write(errand, message)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == f"A message is a text of 1 to {LONGEST} characters."
    assert keys_of(store) == []


def test_a_body_that_is_no_object_or_comes_from_a_form_of_another_site_is_refused(errand, store) -> None:
    assert errand.post("/messages", ["message"]).status_code == 422
    form = {"data": '{"message": "hi"}', "headers": {"Content-Type": "text/plain"}}
    assert errand.post("/messages", **form).status_code == 415
    for body in ("{", '{"message": "half a character: \\ud800"}'):
        assert errand.post("/messages", data=body, headers={"Content-Type": "application/json"}).status_code == 400
    assert keys_of(store) == []


def test_the_newest_are_listed_and_older_ones_still_found(errand, store) -> None:
    board = Messages(store, "errand:", ttl=60)
    first, *_ = [board.save_message(f"No {number}") for number in range(MOST + 5)]

    assert texts(errand) == [f"No {number}" for number in reversed(range(5, MOST + 5))]
    assert errand.get(f"/messages/{first}").json()["message"] == "No 0"
    assert store.llen("errand:message_board:ids") == MOST


def test_redis_is_never_searched(errand, store) -> None:
    store.config_resetstat()
    for _ in range(3):
        write(errand, "hello")
        errand.get("/messages")

    commands = {name.partition("|")[0] for name in store.info("commandstats")}

    assert "cmdstat_lrange" in commands
    assert "cmdstat_keys" not in commands


def test_the_stream_tells_of_each_message_and_ends_with_the_server(valkey, tmp_path: Path) -> None:
    env = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": valkey.fresh_url(), "EXAMPLES": BOARD, "API_STREAMS": "1"}
    with running(tmp_path, env) as stack, closing(stack.get("/messages/events", stream=True)) as answer:
        until(lambda: stack.store.client.pubsub_numsub("errand:message_board:news")[0][1], 10, "a listener")
        board = Messages(stack.store.client, "errand:")
        ids = [board.save_message(str(number)) for number in range(3)]
        full = stack.get("/messages/events")
        stream = told(answer.iter_content(None))

        assert [next(stream).data for _ in ids] == [{"id": each} for each in ids]
        assert (full.status_code, full.json()["title"]) == (503, "Too many streams")
        assert requests.head(f"{stack.url}/messages/events", timeout=10).ok
        assert stack.api.stop(patience=5) == 0
        assert list(stream) == []


# ---- in a browser


def test_what_one_visitor_writes_another_sees_at_once_and_it_goes_when_it_expires(errand, store, look: Look) -> None:
    here = opened(look.page, errand.url)
    there = opened(here.context.browser.new_page(), errand.url)
    assert here.get_by_text("Nobody has written anything yet").is_visible()

    here.get_by_label("Your message").fill("Hello from here!\nAnd a second line.")
    here.get_by_role("button", name="Write").click()
    there.get_by_text("Hello from here!").wait_for(timeout=5000)
    there.get_by_label("Your message").fill("Hello from there!")
    there.keyboard.press("Control+Enter")
    here.get_by_text("Hello from there!").wait_for(timeout=5000)

    assert shown(here) == shown(there) == ["Hello from there!", "Hello from here!\nAnd a second line."]
    assert here.get_by_text("It is on the board.").is_visible()
    assert here.get_by_label("Your message").input_value() == ""
    Messages(store, "errand:", ttl=3).save_message("Only for a moment")
    for state in ("visible", "detached"):
        for page in (here, there):
            page.get_by_text("Only for a moment").wait_for(state=state)
    assert len(shown(here)) == len(shown(there)) == 2
    assert look.complaints == []


def test_hostile_text_is_shown_as_text(errand, store, look: Look) -> None:
    board = Messages(store, "errand:")
    for text in HOSTILE:
        board.save_message(text)

    page = opened(look.page, errand.url)

    assert shown(page) == [*reversed(HOSTILE)]
    assert page.locator("#messages :not(li, p, small)").count() == 0
    assert page.get_by_role("heading", name="Out").count() == 0
    look.is_good("hostile")
    assert look.complaints == []


def test_the_page_is_good_for_everybody(errand, store, look: Look) -> None:
    page = opened(look.page, errand.url)
    look.is_good("empty")
    board = Messages(store, "errand:")
    for text in ("Is anybody here?", "Yes: me, and the cat.\n\nShe sends her regards.", "مرحبا بالجميع", "😀 " * 60):
        board.save_message(text)
    page.get_by_text("مرحبا").wait_for()
    look.is_good("board")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "message"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert page.evaluate("document.activeElement.getBoundingClientRect().height") >= 44
    assert look.complaints == []


def test_a_refused_message_stays_in_its_field_and_a_lost_server_is_found_again(valkey, browser_page, tmp_path) -> None:
    env = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": valkey.fresh_url(), "EXAMPLES": BOARD}
    with running(tmp_path, env) as stack:
        page = opened(browser_page, stack.url)
        field = page.get_by_label("Your message")
        field.fill("   ")
        page.get_by_role("button", name="Write").click()
        page.get_by_text(f"A message is a text of 1 to {LONGEST} characters.").wait_for()
        assert field.input_value() == "   "

        stack.api.stop()
        page.get_by_text("The board is away, trying again").wait_for()
        field.fill("Are you there?")
        page.get_by_role("button", name="Write").click()
        page.get_by_text("The board can't be reached.").wait_for()
        assert field.input_value() == "Are you there?"

        stack.api.start()
        page.get_by_text("Live", exact=True).wait_for(timeout=20_000)
        page.get_by_role("button", name="Write").click()
        page.locator("#messages").get_by_text("Are you there?").wait_for()


def test_try_it_out_in_swagger_ui_writes_a_message(errand, store, look: Look) -> None:
    form = open_form(look.page, errand.url, "/messages", examples=True)

    assert form.execute() == "201"
    assert texts(errand) == ["Hello everybody!"]


# ---- as the tutorials teach


@pytest.mark.parametrize("tests", ["message_board_unit.py", "message_board_integration.py"])
def test_it_can_be_tested_as_the_tutorials_teach(on_rabbitmq, tests: str) -> None:
    follow_tutorial(tests, on_rabbitmq)
