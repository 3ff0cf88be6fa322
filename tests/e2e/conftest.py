"""What the end-to-end tests share: Errand as real processes on each broker, with servers of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.smtp import SmtpSink
from tests.support.stack import Stack, running


@pytest.fixture
def env(redis_url: str, key_prefix: str, smtp_sink: SmtpSink) -> dict[str, str]:
    """The servers of one test, but for the broker."""
    return {"REDIS_URL": redis_url, "KEY_PREFIX": key_prefix, "SMTP_URL": smtp_sink.url}


@pytest.fixture
def on_rabbitmq(env: dict[str, str], amqp_uri: str) -> dict[str, str]:
    """The same with RabbitMQ."""
    return {**env, "AMQP_URI": amqp_uri}


@pytest.fixture
def on_each(env: dict[str, str], broker_uri: str) -> dict[str, str]:
    """The same with each broker in turn."""
    return {**env, "AMQP_URI": broker_uri}


@pytest.fixture
def stack(on_each: dict[str, str], tmp_path: Path) -> Iterator[Stack]:
    """An API and workers, running, on each broker in turn."""
    with running(tmp_path, on_each) as stack:
        yield stack


@pytest.fixture
def api_url(env: dict[str, str], valkey, tmp_path: Path) -> Iterator[str]:
    """The address of a running API with workers behind it, on the embedded broker."""
    with running(tmp_path, {**env, "AMQP_URI": valkey.fresh_url()}) as stack:
        yield stack.url
