"""The real servers of the tests: each starts once per run, and each test has its own part of it.

Tests that need a server which is not installed are skipped with the reason, or fail if CI=true.
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import pytest

from tests.support import rabbitmq as rabbit
from tests.support import valkey as store
from tests.support.postgres import Postgres
from tests.support.smtp import SmtpSink

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROKERS = ("rabbitmq", "embedded")


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rabbit.RabbitMQ]:
    """The RabbitMQ of this run. A test that stops it starts it again."""
    if rabbit.Node.there():
        server: rabbit.RabbitMQ = rabbit.Node(tmp_path_factory.mktemp("rabbitmq"))
    elif rabbit.Container.there():
        server = rabbit.Container()
    else:
        missing("RabbitMQ is neither installed (apt-get install rabbitmq-server) nor to be had from Docker")
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def amqp_uri(rabbitmq: rabbit.RabbitMQ) -> str:
    """The address of a virtual host that no other test uses."""
    return rabbitmq.fresh_uri()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[store.Server]:
    """The Valkey of this run. A test that stops it starts it again."""
    with store.running(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[store.Server]:
    """The Redis of this run, from the system's package."""
    if not (binary := store.redis_binary()):
        # Every other test uses Valkey as the store, so Redis may be missing even if CI=true.
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    with store.running(tmp_path_factory.mktemp("redis"), binary) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL of this run, for examples. A test that stops it starts it again."""
    if not Postgres.there():
        missing("PostgreSQL is not installed (apt-get install postgresql)")
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def redis_url(request: pytest.FixtureRequest) -> str:
    """The address of the store: Valkey, or `parametrize("redis_url", ["valkey", "redis_server"], indirect=True)`."""
    server: store.Server = request.getfixturevalue(getattr(request, "param", "valkey"))
    return server.url()


@pytest.fixture
def key_prefix(redis_url: str) -> Iterator[str]:
    """A prefix that no other test uses; its keys are removed afterwards."""
    prefix = f"test-{uuid.uuid4().hex[:12]}:"
    yield prefix
    store.forget(redis_url, prefix)


@pytest.fixture(params=BROKERS)
def broker_uri(request: pytest.FixtureRequest) -> str:
    """The address of a broker, for each kind in turn: a fresh virtual host, or a fresh database of the embedded one."""
    if request.param == "rabbitmq":
        uri: str = request.getfixturevalue("amqp_uri")
        return uri
    server: store.Server = request.getfixturevalue("valkey")
    return server.fresh_url()


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A real SMTP server that keeps its mails."""
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def browser_page(request: pytest.FixtureRequest) -> "Iterator[Page]":
    """A page in the system's Chromium, headless and with an empty profile."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not executable:
        missing("Chromium is not installed (apt-get install chromium)")
    # Playwright keeps an event loop in this thread until it ends; fixtures that need their own loop must run before
    for name in {"api_url", "smtp_sink"} & set(request.fixturenames):
        request.getfixturevalue(name)
    from playwright.sync_api import sync_playwright

    # root has no sandbox, containers have little shared memory, and only the server under test may be contacted
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    arguments += ["--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser.new_page()
        browser.close()


@pytest.fixture(scope="session", autouse=True)
def _settings_of_nobody_else() -> Iterator[None]:
    """Keep the user's settings out of the tests, and out of the servers that they share."""
    from errand.settings import Settings

    with pytest.MonkeyPatch.context() as patch:
        for name in {field.upper() for field in Settings.model_fields} & {name.upper() for name in os.environ}:
            patch.delenv(name, raising=False)
        yield


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it if CI=true, where every test must run."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
