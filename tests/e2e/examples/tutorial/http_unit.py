"""A unit test of a service that answers HTTP: its method is called with a request."""

from nameko.testing.services import worker_factory

from examples.http.service import HttpService


def test_a_value_comes_back() -> None:
    service = worker_factory(HttpService)

    assert service.get_method(None, 42) == '{"value": 42}'
    assert service.get(42) == {"value": 42}
