"""Airports and trips between them, kept in Redis with the dependency in `store.py`."""

from examples.travel.store import Storage, Unknown
from workers.extending import RpcProxy, rpc

LONGEST = 100
"""Maximum characters of an airport's name."""


class NameRefused(Exception):
    """This record is refused."""


class AirportsService:
    """Keeps airports."""

    name = "airports_service"
    airports = Storage("airport")

    @rpc(expected_exceptions=NameRefused)
    def create(self, airport: str) -> str:
        if not (isinstance(airport, str) and airport.isprintable() and 1 <= len(airport) <= LONGEST):
            raise NameRefused(f"An airport is a text of 1 to {LONGEST} printable characters.")
        return self.airports.save(airport)

    @rpc(expected_exceptions=Unknown)
    def get(self, airport_id: str) -> str:
        airport: str = self.airports.get(airport_id)
        return airport

    @rpc
    def unknown(self, airport_ids: list[str]) -> list[str]:
        """Return the ids that no airport has."""
        return [airport_id for airport_id in airport_ids if not self.airports.has(airport_id)]


class TripsService:
    """Keeps trips, and asks the other service whether their airports exist."""

    name = "trips_service"
    airports_rpc = RpcProxy("airports_service", timeout=2)
    trips = Storage("trip")

    @rpc(expected_exceptions=NameRefused)
    def create(self, airport_from_id: str, airport_to_id: str) -> str:
        if unknown := self.airports_rpc.unknown([airport_from_id, airport_to_id]):
            raise NameRefused(f"There is no airport {repr(unknown[0])[:50]}, so no trip was kept.")
        return self.trips.save({"from": airport_from_id, "to": airport_to_id})

    @rpc(expected_exceptions=Unknown)
    def get(self, trip_id: str) -> dict[str, str]:
        trip: dict[str, str] = self.trips.get(trip_id)
        return trip
