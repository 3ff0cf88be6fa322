"""Unit tests of services that keep things in Redis: a real one, or mocks for what they depend on."""

import os

import pytest
import redis
from nameko.testing.services import worker_factory

from examples.travel.service import AirportsService, NameRefused, TripsService
from examples.travel.store import Records, Unknown


@pytest.fixture
def client() -> redis.Redis:
    return redis.Redis.from_url(os.environ["REDIS_URL"])


@pytest.fixture
def airports(client: redis.Redis):
    return worker_factory(AirportsService, airports=Records(client, "airport", os.environ["KEY_PREFIX"]))


@pytest.fixture
def trips(client: redis.Redis, airports):
    service = worker_factory(TripsService, trips=Records(client, "trip", os.environ["KEY_PREFIX"]))
    service.airports_rpc.unknown.side_effect = airports.unknown
    return service


def test_an_airport_is_kept_and_so_is_a_trip_between_two(airports, trips) -> None:
    first, second = airports.create("first_airport"), airports.create("Zürich")

    trip = trips.create(first, second)

    assert (airports.get(first), airports.get(second)) == ("first_airport", "Zürich")
    assert trips.get(trip) == {"from": first, "to": second}


@pytest.mark.parametrize("airport", ["", "x" * 101, 7, None, {"a": 1}, "a\nb", "\ud800"])
def test_what_is_no_airport_is_refused(airports, airport) -> None:
    with pytest.raises(NameRefused, match="1 to 100 printable characters"):
        airports.create(airport)


@pytest.mark.parametrize("nowhere", ["", "f" * 32, "\ud800", 7, None, ["x"], "x" * 100_000])
def test_a_trip_to_or_from_nowhere_is_refused(airports, trips, nowhere) -> None:
    here = airports.create("here")

    for both in ((here, nowhere), (nowhere, here), (nowhere, nowhere)):
        with pytest.raises(NameRefused, match=r"There is no airport .{0,60}, so no trip was kept"):
            trips.create(*both)


def test_an_id_is_of_one_kind_only(airports, trips) -> None:
    airport = airports.create("here")

    for get in (lambda: trips.get(airport), lambda: airports.get("*"), lambda: airports.get(None)):
        with pytest.raises(Unknown, match="with this id"):
            get()
