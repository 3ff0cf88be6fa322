"""Probes: alive, and able to work."""

import pytest

from api.app import create_app
from tests.support.api import SilentRelay
from tests.support.jobs import accepted

SERVICES = {"compute": "", "mail": "up", "rescuer": "", "webhooks": "", "greeting_service": ""}


@pytest.fixture
def workers(api_store):
    """Note, as live workers do, that every service runs."""
    api_store.note_services(SERVICES)


def test_the_process_is_alive_whatever_is_away(client, api_store, doorbells):
    api_store.go_away()
    doorbells.broker_up = False

    answer = client.get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_it_is_ready_when_all_are_there(client, workers):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json == {
        "status": "ready",
        "dependencies": {"store": "up", "broker": "up", "mail_server": "up"},
    }


def test_it_is_degraded_but_ready_while_the_broker_is_away(client, workers, doorbells):
    doorbells.broker_up = False

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json["status"] == "degraded"
    assert answer.json["dependencies"]["broker"] == "down"


def test_it_is_not_ready_while_the_store_is_away(client, api_store):
    api_store.go_away()

    answer = client.get("/readyz?verbose")

    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert answer.json["dependencies"] == {"store": "down", "broker": "up"}
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("query", ["?verbose", "?verbose=true"])
def test_asked_for_more_it_names_every_service(client, workers, query):
    answer = client.get(f"/readyz{query}")

    assert answer.json["workers"] == dict.fromkeys(sorted(SERVICES), "up")
    assert answer.json["operations_without_worker"] == []


def test_a_service_without_a_live_worker_degrades_it(client, api_store):
    api_store.note_services({name: state for name, state in SERVICES.items() if name != "compute"})

    answer = client.get("/readyz?verbose=true")

    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["workers"]["compute"] == "down"
    assert client.get("/readyz?verbose=false").json == {
        "status": "degraded",
        "dependencies": answer.json["dependencies"],
    }


@pytest.mark.parametrize("name", ["compute", "greeting_service"])
def test_a_worker_that_was_not_heard_of_for_long_does_not_count(client, api_store, workers, name):
    beats = f"{api_store.keys.service_states}:beats"
    api_store.client.zincrby(beats, -15_001, name)

    answer = client.get("/readyz?verbose=true").json

    assert (answer["status"], answer["workers"].get(name)) == {
        "compute": ("degraded", "down"),
        "greeting_service": ("ready", None),  # nothing waits for it, so it may have been taken away on purpose
    }[name]


def test_a_service_for_which_jobs_wait_must_have_a_worker(client, api_store, workers):
    accepted(api_store, operation="bill", queue="billing.cpu")
    api_store.show({"name": "bill"})

    answer = client.get("/readyz?verbose=true").json

    assert (answer["status"], answer["workers"]["billing"]) == ("degraded", "down")
    assert answer["operations_without_worker"] == []


def test_an_operation_that_jobs_wait_for_and_nobody_runs_is_named(client, api_store, workers):
    api_store.show({"name": "sum"})
    accepted(api_store, operation="sum")
    for priority in ("high", "normal", "low"):
        accepted(api_store, operation="gone", priority=priority)

    answer = client.get("/readyz?verbose=true").json

    assert (answer["status"], answer["operations_without_worker"]) == ("degraded", ["gone"])


def test_a_mail_server_that_takes_no_mail_degrades_it(client, api_store, workers):
    api_store.note_services({"mail": "down"})

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["dependencies"]["mail_server"] == "down"


def test_services_that_the_settings_switch_off_need_no_worker(api_store, settings, client):
    api_store.note_services({"compute": "", "rescuer": ""})
    quiet = settings.model_copy(update={"mail_enabled": False})

    other = create_app(quiet, api_store, SilentRelay()).test_client()

    assert other.get("/readyz?verbose=true").json == {
        "status": "ready",
        "dependencies": {"store": "up", "broker": "up"},
        "workers": {"compute": "up", "rescuer": "up"},
        "operations_without_worker": [],
    }
    assert client.get("/readyz?verbose=true").json["workers"]["mail"] == "down"


@pytest.mark.parametrize("query", ["?t=1764552000", "?verbose=no&t=1"])
def test_parameters_that_a_load_balancer_adds_are_ignored(client, workers, query):
    assert client.get(f"/readyz{query}").json.keys() == {"status", "dependencies"}
