"""Every option of a body has an example in the document, and the API takes it."""

import pytest

WITHOUT = {"arguments", "operation", "jobs"}
"""Fields whose values are the operation's: its own form has an example of them."""
TIMES = ("run_at", "delay")
"""Two ways to say when."""


def examples_of(document, name):
    properties = document["components"]["schemas"][name]["properties"]
    return {field: properties[field].get("example") for field in properties if field not in WITHOUT}


@pytest.fixture
def document(client):
    return client.get("/apispec.json").json


@pytest.mark.parametrize("body", ["ComputeRequest", "AddRequest", "AddJobRequest", "AddScheduleRequest"])
def test_every_option_has_an_example(document, body):
    assert [field for field, example in examples_of(document, body).items() if example is None] == []


@pytest.mark.parametrize("left_out", TIMES)
def test_all_of_them_together_are_taken(client, document, left_out):
    options = {name: example for name, example in examples_of(document, "AddRequest").items() if name != left_out}
    options.pop("webhook_url")  # WEBHOOK_SECRET is not set here
    if "run_at" in options:
        options.pop("deadline")  # which is before that time

    answer = client.post("/operations/add", json={"arguments": {"value": 1, "other": 2}, **options})

    assert answer.status_code == 202, answer.json
