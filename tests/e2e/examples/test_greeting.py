"""`examples/greeting/` as its row in the issue has it: the words, calls at a time, instances that die, and versions."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from errand.errors import ServiceMissing
from errand.process.waiting import until
from tests.support.browser import open_form
from tests.support.plugins import Instances, cluster_on, instances, results
from tests.support.processes import ROOT
from tests.support.stack import running

if TYPE_CHECKING:
    from playwright.sync_api import Page

GREETING = "examples.greeting"
NAP = 1.0
"""Seconds that a sleeping hello takes: several times what a loaded machine needs for everything else."""


@pytest.fixture
def here(on_rabbitmq, tmp_path: Path) -> Iterator[Instances]:
    with instances(tmp_path, on_rabbitmq, GREETING) as here:
        yield here


@contextmanager
def sleeping(naps: int) -> Iterator[None]:
    """Check that what is done takes so many naps."""
    began = monotonic()
    yield
    assert naps * NAP <= monotonic() - began < (naps + 0.9) * NAP


def hellos(n, count: int) -> list:
    return [n.greeting_service.hello_slowly.call_async(name=str(number), seconds=NAP) for number in range(count)]


def greetings(count: int) -> list[str]:
    return [f"Hello, {number}!" for number in range(count)]


def test_the_services_greet_as_the_tutorials_print_it(on_each, tmp_path: Path) -> None:
    with running(tmp_path, on_each | {"EXAMPLES": GREETING}) as stack, cluster_on(on_each["AMQP_URI"]) as n:
        assert n.greeting_service.hello(name="world") == "Hello, world!"
        assert n.helloworld.hello(name="John") == "Hello, John!"
        assert n.konnichiwa_service.konnichiwa() == "Konnichiwa!"
        answer = stack.get("/konnichiwa")
        assert (answer.text, answer.headers["Content-Type"]) == ("Konnichiwa!", "text/plain; charset=utf-8")


def test_five_calls_take_one_sleep_twenty_take_two_and_with_a_second_instance_one(here: Instances, on_rabbitmq) -> None:
    here.start("greeting_service")
    with cluster_on(on_rabbitmq["AMQP_URI"], timeout=60) as n:
        n.greeting_service.hello(name="world")
        with sleeping(1):
            assert results(hellos(n, 5)) == greetings(5)
        with sleeping(2):
            assert results(hellos(n, 20)) == greetings(20)

        here.start("greeting_service")
        with sleeping(1):
            assert results(hellos(n, 20)) == greetings(20)


def test_an_instance_that_is_killed_half_way_loses_no_call(here: Instances, on_rabbitmq) -> None:
    victim, other = here.start("greeting_service"), here.start("greeting_service")
    with cluster_on(on_rabbitmq["AMQP_URI"], timeout=60) as n:
        calls = hellos(n, 40)  # twenty at a time, so that half of them has not begun
        calls[0].result()

        victim.kill9()

        assert results(calls[1:]) == greetings(40)[1:]
    assert other.running


NEXT_VERSION = """
from workers.extending import rpc


class GreetingService:
    name = "greeting_service"

    @rpc
    def hello(self, name, title="dear"):
        return f"Hello, {title} {name}!"
"""


def test_two_versions_side_by_side_both_answer(here: Instances, on_rabbitmq, tmp_path: Path) -> None:
    (tmp_path / "next_version").mkdir()
    (tmp_path / "next_version" / "service.py").write_text(NEXT_VERSION)
    here.start("greeting_service")
    here.start("greeting_service", EXAMPLES="next_version")

    with cluster_on(on_rabbitmq["AMQP_URI"]) as n:
        answers = {n.greeting_service.hello(name="world") for _ in range(20)}

    assert answers == {"Hello, world!", "Hello, dear world!"}


def test_without_its_service_the_route_answers_503_and_with_it_again_200(on_rabbitmq, tmp_path: Path) -> None:
    def api_alone(stack):
        stack.api.start()

    with running(tmp_path, on_rabbitmq | {"EXAMPLES": GREETING}, api_alone) as stack:
        missing = stack.get("/konnichiwa")
        worker = stack.worker("konnichiwa_service").start()
        try:
            answer = until(lambda: (got := stack.get("/konnichiwa")).ok and got, 20, "the greeting")
        finally:
            worker.stop()

        assert (missing.status_code, missing.json()["type"]) == (503, "urn:errand:service-missing")
        assert answer.text == "Konnichiwa!"
        with cluster_on(on_rabbitmq["AMQP_URI"], timeout=1) as n, pytest.raises(ServiceMissing):
            n.konnichiwa_service.konnichiwa()


@pytest.mark.parametrize("tests", ["greeting_unit.py", "greeting_integration.py"])
def test_it_can_be_tested_as_the_tutorials_teach(on_rabbitmq, tests: str) -> None:
    """Its fixtures want a process that is monkey-patched from its first line, which this one is not."""
    program = "import eventlet; eventlet.monkey_patch(); import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    options = [
        "-q",
        "-o",
        "addopts=",
        "-p",
        "no:cacheprovider",
        "--confcutdir",
        str(ROOT / "tests/e2e/examples/tutorial"),
    ]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *options, f"tests/e2e/examples/tutorial/{tests}"],
        cwd=ROOT,
        env=os.environ | on_rabbitmq,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_try_it_out_in_swagger_ui_is_greeted(on_rabbitmq, browser_page: "Page", tmp_path: Path) -> None:
    with running(tmp_path, on_rabbitmq | {"EXAMPLES": GREETING}) as stack:
        form = open_form(browser_page, stack.url, "/konnichiwa", "get", examples=True)

        assert form.execute().startswith("200")
        assert "Konnichiwa!" in form.answer.inner_text()
        assert browser_page.get_by_text("examples.greeting", exact=True).is_visible()
