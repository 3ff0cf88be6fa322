"""Fixtures for the tests of the API: a real store, and a relay that only records its doorbells."""

import time
from collections.abc import Callable, Iterator
from threading import Semaphore

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.app import create_app
from api.dispatch.long_request_slot import SLOT_KEY, LongRequestSlot
from errand.settings import Settings
from errand.trust.links import SignedLinks
from tests.support.api import ADD, ANYTHING, TREE, SilentRelay, WatchedStore
from tests.support.api_document import CheckedClient
from tests.support.view import ID, RECORD, path_of


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
    app.extensions["errand"].broadcaster.close()


@pytest.fixture
def client(api: Flask) -> FlaskClient:
    """A client that compares each answer with the API's document."""
    api.test_client_class = CheckedClient
    return api.test_client()


@pytest.fixture
def patient_client(api: Flask) -> FlaskClient:
    """A client whose requests run as slow requests do, with a thread of their own."""
    client = api.test_client()
    client.environ_base[SLOT_KEY] = LongRequestSlot(Semaphore(0))
    return client


@pytest.fixture
def links(api_store: WatchedStore) -> SignedLinks:
    """The object with which workers sign links."""
    return SignedLinks(api_store.link_secret(), "http://127.0.0.1:5000")


@pytest.fixture
def view_path(links: SignedLinks) -> str:
    """The path of a link to the job that `given` stores."""
    return path_of(links.job(ID, int(time.time()) + 600))


@pytest.fixture
def given(api_store: WatchedStore) -> Callable[..., None]:
    """Store a job like RECORD, with these differences; a field that is None is left out."""

    def store(**changes: str | None) -> None:
        record = {**RECORD, **changes}
        api_store.put(ID, {name: text for name, text in record.items() if text is not None})

    return store
