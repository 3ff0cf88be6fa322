"""Probes: alive, and able to work."""


def test_the_process_is_alive_whatever_is_away(client, api_store, doorbells):
    api_store.go_away()
    doorbells.broker_up = False

    answer = client.get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_it_is_ready_when_all_are_there(client):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json == {"status": "ready", "dependencies": {"store": "up", "broker": "up"}}


def test_it_is_degraded_but_ready_while_the_broker_is_away(client, doorbells):
    doorbells.broker_up = False

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json == {"status": "degraded", "dependencies": {"store": "up", "broker": "down"}}


def test_it_is_not_ready_while_the_store_is_away(client, api_store):
    api_store.go_away()

    answer = client.get("/readyz")

    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert answer.json["dependencies"] == {"store": "down", "broker": "up"}
    assert int(answer.headers["Retry-After"]) > 0
