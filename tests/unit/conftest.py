"""An API on a real store and a relay that rings nothing, for the tests whose names begin with test_api."""

from collections.abc import Iterator
from threading import Semaphore

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.app import create_app
from api.lanes import PLACE, Place
from errand.settings import Settings
from tests.support.api import ADD, ANYTHING, TREE, SilentRelay, WatchedStore


@pytest.fixture
def settings(redis_url: str, key_prefix: str) -> Settings:
    return Settings(_env_file=None, redis_url=redis_url, key_prefix=key_prefix)


@pytest.fixture
def api_store(settings: Settings) -> Iterator[WatchedStore]:
    """A store in which three operations are published."""
    store = WatchedStore.connect(settings)
    store.show(ADD, ANYTHING, TREE)
    yield store
    store.client.close()


@pytest.fixture
def doorbells() -> SilentRelay:
    return SilentRelay()


@pytest.fixture
def api(settings: Settings, api_store: WatchedStore, doorbells: SilentRelay) -> Iterator[Flask]:
    app = create_app(settings, api_store, doorbells)
    yield app
    app.extensions["errand"].watch.close()


@pytest.fixture
def client(api: Flask) -> FlaskClient:
    return api.test_client()


@pytest.fixture
def patient_client(api: Flask) -> FlaskClient:
    """A client whose requests have the place that a server gives to those that may take long."""
    client = api.test_client()
    client.environ_base[PLACE] = Place(Semaphore(0))
    return client
