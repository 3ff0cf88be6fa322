"""The contract of what Errand says of itself: its operations, its health, its figures, its documentation."""

from prometheus_client.parser import text_string_to_metric_families

from errand.process.waiting import until
from tests.support.contract import NUMBERS, SUM, problem
from tests.support.stack import Stack, running


def figures(stack: Stack) -> dict[tuple[str, ...], float]:
    """Read /metrics as Prometheus does: name and values of the labels, and the figure."""
    answer = stack.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {(row.name, *row.labels.values()): row.value for family in families for row in family.samples}


def test_every_operation_is_described_and_its_examples_come_out_as_it_says(shared: Stack) -> None:
    catalogue = shared.get("/operations").json()["operations"]

    names = [operation["name"] for operation in catalogue]
    assert names == sorted(names)
    assert {"sum", "sub", "mul", "div", "primes", "statistics", "csv_summary", "fetch"} <= set(names)
    assert {(each["tiny"], each["io"]) for each in catalogue} == {(True, False), (False, False), (False, True)}
    for operation in catalogue:
        assert operation["summary"], operation["name"]
        assert operation["arguments"]["type"] == "object"
        assert operation["limits"].keys() == {"timeout", "memory", "max_attempts", "backoff"}
        assert shared.get(f"/operations/{operation['name']}").json() == operation
    promised = [
        (each["name"], example) for each in catalogue for example in each["examples"] if each["name"] != "fetch"
    ]
    jobs = [shared.submit(name, example["arguments"]) for name, example in promised]
    assert {name for name, _ in promised} >= {"sum", "primes", "statistics", "csv_summary", "histogram"}
    for job_id, (name, example) in zip(jobs, promised, strict=True):
        result = shared.finished(job_id)["result"]
        assert result is not None, name
        assert example["result"] in (result, None), name  # a picture is not written out


def test_an_unchanged_catalogue_costs_a_304(shared: Stack) -> None:
    for path in ("/operations", "/operations/sum", "/apispec.json"):
        tag = shared.get(path).headers["ETag"]

        assert shared.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_the_figures_follow_the_jobs(shared: Stack) -> None:
    before = figures(shared)

    shared.finished(shared.submit("sum", NUMBERS))
    shared.finished(shared.submit("div", {"value": 1, "other": 0}))
    later = shared.submit("sum", NUMBERS, delay=3600)

    after = figures(shared)
    grown = {name for name, value in after.items() if value > before.get(name, 0)}
    assert grown >= {
        ("errand_jobs", "succeeded"),
        ("errand_jobs", "failed"),
        ("errand_jobs", "scheduled"),
        ("errand_jobs_delayed",),
        ("errand_jobs_finished_total", "sum", "succeeded"),
        ("errand_jobs_finished_total", "div", "failed"),
    }
    assert after["errand_store_up",] == after["errand_broker_up",] == 1
    shared.post(f"/jobs/{later}/cancel")


def test_it_is_alive_and_ready(shared: Stack) -> None:
    assert shared.get("/healthz").json() == {"status": "ok"}
    up = {"store": "up", "broker": "up", "mail_server": "up"}
    until(lambda: shared.get("/readyz").json()["dependencies"] == up, 10, "the mail worker's first beat")
    ready = shared.get("/readyz?verbose").json()
    assert {"compute", "mail", "rescuer", "webhooks"} <= ready["workers"].keys()
    assert set(ready["workers"].values()) == {"up"}


def test_its_documentation_is_served_with_all_it_needs(shared: Stack) -> None:
    page = shared.get("/")

    assert page.url == f"{shared.url}/apidocs"
    assert page.text == shared.get("/apidocs").text
    assert shared.get("/static/swagger-ui/swagger-ui.css").headers["Content-Type"].startswith("text/css")
    document = shared.get("/apispec.json").json()
    assert document["openapi"].startswith("3.0")
    form = document["paths"]["/operations/sum"]["post"]["requestBody"]["content"]["application/json"]
    assert shared.post("/operations/sum", form["example"]).status_code == 202


def test_what_the_last_worker_could_do_is_withdrawn_after_it_and_comes_back_with_the_next(env, valkey, tmp_path):
    with running(tmp_path, {**env, "AMQP_URI": valkey.fresh_url()}) as stack:
        until(lambda: stack.get("/operations/sum").ok, 20, "the catalogue")
        kept = stack.submit("sum", NUMBERS, delay=3)

        stack.workers.stop()
        until(lambda: stack.get("/operations").json()["operations"] == [], 25, "the catalogue empty")

        refused = stack.post("/jobs", SUM)
        problem(refused, 503, "urn:errand:catalogue-empty")
        assert int(refused.headers["Retry-After"]) > 0
        problem(stack.get("/operations/sum"), 404, "urn:errand:operation-unknown")
        assert "/operations/sum" not in stack.get("/apispec.json").json()["paths"]
        early = stack.compute()
        stack.workers.start()
        assert [stack.finished(job_id)["result"] for job_id in (kept, early)] == [40, 40]
        until(lambda: stack.post("/jobs", SUM).status_code == 202, 20, "operations again")
