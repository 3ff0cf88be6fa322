"""One Errand for all tests of the contract, on each broker in turn: starting it costs more than most of them."""

from collections.abc import Iterator

import pytest

from errand.process.waiting import until
from tests.conftest import BROKERS
from tests.support.smtp import SmtpSink
from tests.support.stack import Stack, running
from tests.support.valkey import Server


@pytest.fixture(scope="package", params=BROKERS)
def shared(request: pytest.FixtureRequest, valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two API processes, workers with one slot for heavy jobs, and operations with characters.

    A test calls off what it leaves unfinished, and looks for nothing but its own jobs.
    """
    if request.param == "rabbitmq":
        broker_uri: str = request.getfixturevalue("rabbitmq").fresh_uri()
    else:
        broker_uri = valkey.fresh_url()
    with SmtpSink() as sink:
        env = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": broker_uri, "SMTP_URL": sink.url}
        env |= {"OPERATIONS": "workers.operations,tests.support.operations", "CPU_SLOTS": "1", "API_PROCESSES": "2"}
        with running(tmp_path_factory.mktemp(request.param), env) as stack:
            until(lambda: "echo" in stack.store.catalogue(), 20, "the catalogue")
            yield stack
