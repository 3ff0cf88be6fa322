"""What the integration tests share: settings and stores on the real servers of `tests/conftest.py`."""

from collections.abc import Iterator

import pytest

from api.app import Api, create_app
from api.feed.broadcaster import Broadcaster
from errand.settings import Settings
from errand.store import Store
from tests.support.api import SilentRelay
from tests.support.ports import free_port


@pytest.fixture
def settings(redis_url: str, key_prefix: str) -> Settings:
    return Settings(_env_file=None, redis_url=redis_url, key_prefix=key_prefix)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    store = Store.connect(settings)
    yield store
    store.client.close()


@pytest.fixture
def silent_store(settings: Settings) -> Iterator[Store]:
    store = Store.connect(settings.model_copy(update={"mail_enabled": False}))
    yield store
    store.client.close()


@pytest.fixture
def unreachable_store(settings: Settings) -> Store:
    """A store on a port where nobody listens."""
    return Store.connect(settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"}))


@pytest.fixture
def app(settings: Settings, store: Store) -> Iterator[Api]:
    """An API on the real store; its doorbells ring nowhere."""
    app = create_app(settings, store, SilentRelay())
    yield app
    app.extensions["errand"].broadcaster.close()


@pytest.fixture
def watch(app: Api) -> Broadcaster:
    """What reads the store's events for that API."""
    watch: Broadcaster = app.extensions["errand"].broadcaster
    return watch
