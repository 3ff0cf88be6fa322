"""`examples/http/` as its row in the issue has it: nameko's own HTTP entrypoint, beside the same over the API."""

from pathlib import Path

import pytest
import requests

from errand.settings import Settings
from tests.support.plugins import cluster_on
from tests.support.ports import LOCALHOST, free_port
from tests.support.stack import running
from tests.support.tutorial import follow_tutorial

HTTP = "examples.http"


@pytest.fixture
def web() -> str:
    """The address on which the workers answer."""
    return f"{LOCALHOST}:{free_port()}"


def test_a_value_comes_back_from_the_worker_itself_and_over_the_api(on_each, web: str, tmp_path: Path) -> None:
    with running(tmp_path, on_each | {"EXAMPLES": HTTP, "WEB_SERVER_ADDRESS": web}) as stack:
        own = requests.get(f"http://{web}/get/42", timeout=20)
        assert (own.status_code, own.text) == (200, '{"value": 42}')
        assert requests.get(f"http://{web}/get/many", timeout=20).status_code == 404
        assert stack.get("/get/42").json() == {"value": 42}
        assert stack.get("/get/many").status_code == 404
        assert stack.get("/get/" + "1" * 5000).status_code == 404
        with cluster_on(on_each["AMQP_URI"]) as n:
            assert n.http_service.get(42) == {"value": 42}


def test_it_is_on_port_8000_unless_something_else_is_set() -> None:
    assert Settings(_env_file=None).web_server_address == "127.0.0.1:8000"


@pytest.mark.parametrize("tests", ["http_unit.py", "http_integration.py"])
def test_it_can_be_tested_as_the_tutorials_teach(on_rabbitmq, tests: str) -> None:
    follow_tutorial(tests, on_rabbitmq)
