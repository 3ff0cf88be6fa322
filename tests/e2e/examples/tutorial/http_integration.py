"""An integration test of a service that answers HTTP, in a container of nameko's."""

import pytest
import requests
from nameko.testing.utils import find_free_port

from errand.errors import SettingsRefused
from examples.http.service import HttpService


@pytest.fixture
def web_config(rabbit_config) -> dict[str, str]:
    """Nameko's own needs RabbitMQ, and its `web_session` an older Werkzeug."""
    return {**rabbit_config, "WEB_SERVER_ADDRESS": f"127.0.0.1:{find_free_port()}"}


def test_a_value_comes_back(container_factory, web_config) -> None:
    container = container_factory(HttpService, web_config)
    container.start()
    url = f"http://{web_config['WEB_SERVER_ADDRESS']}"

    assert requests.get(f"{url}/get/42", timeout=10).text == '{"value": 42}'
    assert requests.get(f"{url}/get/-1", timeout=10).status_code == 404

    with pytest.raises(SettingsRefused, match="Address already in use"):
        container_factory(HttpService, web_config).start()
    container.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/get/42", timeout=10)
