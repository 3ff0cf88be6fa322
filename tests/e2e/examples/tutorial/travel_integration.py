"""An integration test of a service that asks another: both in containers of nameko's, on a real broker and store."""

from nameko.testing.services import entrypoint_hook

from examples.travel.service import AirportsService, TripsService


def test_a_trip_is_kept_once_airports_knows_both_ends(container_factory, rabbit_config) -> None:
    airports, trips = (container_factory(service, rabbit_config) for service in (AirportsService, TripsService))
    airports.start()
    trips.start()

    with entrypoint_hook(airports, "create") as create:
        first, second = create("first_airport"), create("second_airport")
    with entrypoint_hook(trips, "create") as create, entrypoint_hook(trips, "get") as get:
        assert get(create(first, second)) == {"from": first, "to": second}
