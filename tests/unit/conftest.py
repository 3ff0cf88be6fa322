"""An API on stand-ins, for the tests whose names begin with test_api."""

import pytest

from api.app import create_app
from errand.settings import Settings
from tests.support.api import MemoryStore, SilentRelay


@pytest.fixture
def api_store():
    return MemoryStore()


@pytest.fixture
def doorbells():
    return SilentRelay()


@pytest.fixture
def api(api_store, doorbells):
    return create_app(Settings(_env_file=None), api_store, doorbells)


@pytest.fixture
def client(api):
    return api.test_client()
