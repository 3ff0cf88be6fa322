"""Metrics: what Prometheus reads of jobs, queues and this process, whatever is up or down."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from schemas.status import Status
from tests.support.api import SilentRelay
from tests.support.jobs import accepted, claim, claimed, ended, succeeded

PRIORITIES = ("high", "normal", "low")


def scraped(client):
    """Give every figure by its name and labels."""
    answer = client.get("/metrics")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_jobs_are_counted_by_their_status_and_by_where_they_wait(client, api_store):
    ended(api_store, claimed(api_store), Status.FAILED, '{"type":"E","message":"m"}')
    succeeded(api_store, claimed(api_store))
    claimed(api_store)
    for priority in ("low", "low", "high"):
        accepted(api_store, priority=priority, email="name@email.com")
    accepted(api_store, delay_ms=60_000)

    figures = scraped(client)

    jobs = {status: figures["errand_jobs", ("status", status)] for status in map(str, Status)}
    assert jobs == {
        "scheduled": 1,
        "accepted": 3,
        "running": 1,
        "retrying": 0,
        "succeeded": 1,
        "failed": 1,
        "cancelled": 0,
    }
    waiting = [figures["errand_jobs_waiting", ("priority", name), ("queue", "compute")] for name in PRIORITIES]
    assert waiting == [1, 0, 2]
    assert figures["errand_jobs_waiting_oldest_seconds", ("priority", "low"), ("queue", "compute")] >= 0
    assert figures["errand_jobs_delayed",] == 1
    assert figures["errand_outbox_jobs",] == api_store.client.zcard(api_store.keys.outbox)
    assert figures["errand_notifications_due", ("channel", "mail")] == 3
    assert figures["errand_notifications_due", ("channel", "webhook")] == 0


def test_what_has_ended_is_counted_for_good_by_operation_and_status(client, api_store):
    for _ in range(2):
        succeeded(api_store, claimed(api_store))
    ended(api_store, claimed(api_store, operation="div"), Status.FAILED, '{"type":"E","message":"m"}')

    figures = scraped(client)

    assert figures["errand_jobs_finished_total", ("operation", "sum"), ("status", "succeeded")] == 2
    assert figures["errand_jobs_finished_total", ("operation", "div"), ("status", "failed")] == 1
    assert figures["errand_jobs_run_seconds_total", ("operation", "sum")] >= 0
    assert figures["errand_job_usual_seconds", ("operation", "sum")] >= 0


def test_every_process_tells_the_same_of_jobs(client, api_store, settings):
    accepted(api_store)
    claim(api_store)
    other = create_app(settings, api_store, SilentRelay()).test_client()

    assert scraped(client) == scraped(other)


def test_services_and_the_mail_server_are_up_or_down(client, api_store):
    api_store.note_services({"compute": "", "mail": "down"})
    accepted(api_store, operation="gone")

    figures = scraped(client)

    up = {name: figures["errand_service_up", ("service", name)] for name in ("compute", "mail", "rescuer")}
    assert up == {"compute": 1, "mail": 1, "rescuer": 0}
    assert figures["errand_mail_server_up",] == 0
    assert figures["errand_operations_without_worker",] == 1


def test_while_the_store_is_down_only_this_is_told_and_what_the_process_knows_itself(client, api_store, doorbells):
    doorbells.broker_up = False
    api_store.go_away()

    figures = scraped(client)

    assert figures == {
        ("errand_store_up",): 0,
        ("errand_broker_up",): 0,
        ("errand_api_watchers",): 0,
        ("errand_api_watchers_max",): 1000,
    }


def test_those_who_watch_in_this_process_are_counted(client, api):
    with api.extensions["errand"].broadcaster.subscribed():
        assert scraped(client)["errand_api_watchers",] == 1

    assert scraped(client)["errand_api_watchers",] == 0


@pytest.mark.parametrize("accept", ["", "*/*", "application/openmetrics-text; version=x", "text/html"])
def test_whoever_asks_gets_the_format_that_all_can_read(client, accept):
    answer = client.get("/metrics", headers={"Accept": accept})

    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"


def test_a_figure_is_explained_and_named_as_prometheus_wants_it(client, api_store):
    succeeded(api_store, claimed(api_store))

    for family in text_string_to_metric_families(client.get("/metrics").text):
        assert family.name.startswith("errand_")
        assert family.documentation.endswith(".")
        assert family.type in {"gauge", "counter"}
        assert all(sample.name.endswith("_total") for sample in family.samples if family.type == "counter")
