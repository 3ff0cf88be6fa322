"""`docs/extending.md` as its reader follows it, and what a plug-in is promised, over HTTP and on each broker."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
import requests

from tests.support.plugins import PLUGIN
from tests.support.ports import free_port
from tests.support.processes import ROOT, Running
from tests.support.readme import reader, steps_of
from tests.support.stack import Stack, running

GUIDE = ROOT / "docs" / "extending.md"


@pytest.fixture
def stack(on_each: dict[str, str], tmp_path: Path) -> Iterator[Stack]:
    """An API and workers with the plug-in of these tests, on each broker in turn."""
    env = {**on_each, "EXAMPLES": PLUGIN, "NOTEBOOK": str(tmp_path / "notebook"), "API_THREADS": "2"}
    with running(tmp_path, env) as stack:
        yield stack


def test_the_guide_ends_as_it_promises(tmp_path: Path) -> None:
    # given the two files, where the page says
    text = GUIDE.read_text(encoding="utf-8")
    place_and_code = r"[Ss]ave\s+it as `(weather/\w+\.py)`:\s+```python\n(.*?)^ *```$"
    places = re.findall(place_and_code, text, re.DOTALL | re.MULTILINE)
    assert [place for place, _ in places] == ["weather/service.py", "weather/routes.py"]
    for place, code in places:
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(textwrap.dedent(code), encoding="utf-8")
    plugin = re.search(r"EXAMPLES=(\w+) make run", text)
    assert plugin

    # when Errand is started there
    port, data = free_port(), tmp_path / "data"
    env = {"PORT": str(port), "EXAMPLES": plugin[1]}
    run = Running.module("errand.embedded.run", "--data", str(data), log=tmp_path / "run.log", env=env, cwd=tmp_path)
    run.ready = lambda: "errand: ready" in run.output()
    try:
        run.start()

        # then all that is asked is answered as it is shown
        url = f"http://127.0.0.1:{port}"
        with reader(url, data, run, tmp_path / "terminal") as follower:
            for step in steps_of(GUIDE):
                follower.follow(step)
        assert "/weather/{place}" in requests.get(f"{url}/apispec.json", timeout=10).json()["paths"]
    finally:
        run.stop()


def call(stack: Stack, service: str, method: str, timeout: float = 10.0, argument: object = None) -> tuple[int, dict]:
    """Have the API call a service; give status and body of its answer, which comes in time."""
    began = monotonic()
    options = {} if argument is None else {"params": {"argument": argument}}
    answer = stack.get(f"/probe/{service}/{method}/{timeout:.1f}", **options)
    assert monotonic() - began < timeout + 1.5
    return answer.status_code, answer.json()


def test_json_arrives_as_sent_and_what_goes_wrong_in_a_call_is_answered_in_time(stack: Stack) -> None:
    sent = {"a": {"__type__": "evil", "__value__": 1}, "b": [{"__type__": "datetime", "__value__": "garbage"}]}
    assert stack.post("/probe/echo", sent).json() == sent

    for _ in range(8):  # more often than there are connections
        assert call(stack, "nobody", "hello", 1.0)[0] == 503
    missing = call(stack, "nobody", "hello", 1.0)[1]
    status, slow = call(stack, "probe", "nap", 0.3, 0.6)
    broken = call(stack, "probe", "break_down")
    refused = call(stack, "probe", "look_up", argument="door")

    assert missing["type"] == "urn:errand:service-missing"
    assert missing["detail"] == "No instance of nobody accepts calls now; try again shortly."
    assert (status, slow["type"]) == (504, "urn:errand:service-slow")
    assert broken[0] == 502
    assert broken[1]["detail"] == "probe.break_down ended with ZeroDivisionError."
    assert "swordfish" not in str(broken)
    assert (refused[0], refused[1]["detail"]) == (404, "There is no door.")
    for number in range(8):
        assert call(stack, "probe", "echo", argument=number) == (200, {"result": number})


@pytest.mark.timeout(180)
def test_a_lost_broker_is_answered_with_503_and_found_again(on_rabbitmq, rabbitmq, tmp_path: Path) -> None:
    env = {**on_rabbitmq, "EXAMPLES": PLUGIN, "NOTEBOOK": str(tmp_path / "notebook")}
    with running(tmp_path, env) as stack:
        assert call(stack, "probe", "echo", argument=1)[0] == 200

        rabbitmq.stop()
        try:
            status, problem = call(stack, "probe", "echo", 2.0, 1)
        finally:
            rabbitmq.start()

        assert (status, problem["type"]) == (503, "urn:errand:broker-unavailable")
        answers = (call(stack, "probe", "echo", 2.0, 2)[0] for _ in range(30))
        assert 200 in answers


@pytest.mark.parametrize("part", ["api", "workers"])
def test_what_is_no_plugin_is_refused_at_the_start(tmp_path: Path, part: str) -> None:
    process = Running.module(part, log=tmp_path / "log", env={"EXAMPLES": "no.plugin", "PORT": str(free_port())})

    process.start()

    assert process.process.wait(30) == 2
    assert process.output() == (
        "errand: EXAMPLES: there is no package no.plugin here; "
        "it is searched for from the folder where this was started.\n"
    )
