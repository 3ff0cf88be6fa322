"""`examples/travel/` as its row in the issue has it: the tutorial's curl lines, its answers, and trips to nowhere."""

import json
import subprocess
from pathlib import Path

import pytest

from errand.process.waiting import until
from tests.support.plugins import cluster_on
from tests.support.stack import running
from tests.support.tutorial import follow_tutorial

TRAVEL = "examples.travel"
UNKNOWN = "f" * 32


def curl(stack, line: str) -> str:
    """Do what the tutorial says after `curl`, where only its address differs."""
    command = f"curl -s {line}".replace("localhost:8000", stack.url)
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=True).stdout


def test_the_lines_of_the_tutorial_print_what_it_says(on_each, tmp_path: Path) -> None:
    with running(tmp_path, on_each | {"EXAMPLES": TRAVEL}) as stack:
        head, _, first = curl(stack, r'-i -d "{\"airport\": \"first_airport\"}" localhost:8000/airport').partition(
            "\n\n"
        )
        second = curl(stack, r'-d "{\"airport\": \"second_airport\"}" -X POST localhost:8000/airport')

        assert "200 OK" in head.splitlines()[0]
        assert curl(stack, f"localhost:8000/airport/{first}") == '{"airport":"first_airport"}\n'
        trip = curl(stack, rf'-d "{{\"airport_from\": \"{first}\", \"airport_to\": \"{second}\"}}" localhost:8000/trip')
        assert json.loads(curl(stack, f"localhost:8000/trip/{trip}")) == {"trip": {"from": first, "to": second}}
        assert {len(each) for each in (first, second, trip)} == {32}

        with cluster_on(on_each["AMQP_URI"]) as n:
            assert n.airports_service.get(first) == "first_airport"
            assert n.trips_service.get(trip) == {"from": first, "to": second}
            assert n.airports_service.get(n.airports_service.create("first_airport")) == "first_airport"


def test_bad_input_is_refused_with_a_sentence_and_so_is_a_trip_while_airports_is_away(
    on_rabbitmq, tmp_path: Path
) -> None:
    def trips_alone(stack):
        stack.api.start()
        services.append(stack.worker("trips_service").start())

    services = []
    with running(tmp_path, on_rabbitmq | {"EXAMPLES": TRAVEL}, trips_alone) as stack:
        try:
            missing = stack.post("/trip", {"airport_from": UNKNOWN, "airport_to": UNKNOWN})
            assert (missing.status_code, "airports_service" in missing.json()["detail"]) == (503, True)
            services.append(stack.worker("airports_service").start())
            until(lambda: stack.get(f"/airport/{UNKNOWN}").status_code == 404, 20, "an answer of airports_service")
            check_refusals(stack)
        finally:
            for service in services:
                service.stop()


def check_refusals(stack) -> None:
    here = stack.post("/airport", {"airport": "here"}).text

    def refused(path: str, body: bytes | None, status: int) -> str:
        answer = stack.get(path) if body is None else stack.post(path, data=body)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), body
        return answer.json()["detail"]

    trip = json.dumps({"airport_from": here, "airport_to": UNKNOWN}).encode()
    assert refused("/trip", trip, 422) == f"There is no airport '{UNKNOWN}', so no trip was kept."
    for body in (b'{"airport_from": 7, "airport_to": null}', trip.replace(UNKNOWN.encode(), b"x" * 100_000)):
        assert len(refused("/trip", body, 422)) < 120
    assert refused("/trip", b"{}", 422) == "The body must be a JSON object with airport_from and airport_to."
    for body in (b'{"airport": ""}', b'{"airport": {"__type__": "x"}}', b"[]", b"7"):
        assert "must be a JSON object" in (told := refused("/airport", body, 422)) or "1 to 100" in told
    for body in (b"", b"airport=x", b"[" * 100_000, b'{"airport": NaN}', b"\xff"):
        assert "not JSON" in refused("/airport", body, 400)
    assert refused(f"/airport/{UNKNOWN}", None, 404) == "There is no airport with this id."
    assert refused(f"/trip/{here}", None, 404) == "There is no trip with this id."


@pytest.mark.parametrize("tests", ["travel_unit.py", "travel_integration.py"])
def test_it_can_be_tested_as_the_tutorials_teach(on_rabbitmq, tests: str) -> None:
    follow_tutorial(tests, on_rabbitmq)
