"""A broker that hangs instead of being away: its connections stand, and nothing comes."""

import time

import pytest

from errand.broker.messages import doorbell
from errand.broker.publisher import Publisher
from errand.errors import BrokerUnavailable
from errand.process.waiting import until
from tests.support.forwarder import Forwarder


@pytest.fixture
def door(rabbitmq):
    """A door to RabbitMQ that can be made to hang."""
    with Forwarder(rabbitmq.port) as door:
        yield door


@pytest.fixture
def publishing():
    """Makes publishers, which are closed afterwards."""
    made = []

    def make(uri):
        made.append(Publisher(uri))
        return made[-1]

    yield make
    for publisher in made:
        publisher.close()


def through(door, rabbitmq, uri):
    """Give the address of the same virtual host behind the door."""
    return uri.replace(f":{rabbitmq.port}/", f":{door.port}/")


def test_an_address_that_hangs_does_not_keep_those_after_it_from_being_asked(door, rabbitmq, amqp_uri, publishing):
    door.fall_silent()
    publisher = publishing(f"{through(door, rabbitmq, amqp_uri)};{amqp_uri}")

    publisher.publish([doorbell("compute", "one")])

    until(lambda: rabbitmq.depths(amqp_uri)["errand.compute"] == 1, 10, "the doorbell in its queue")


@pytest.mark.parametrize("queue", ["compute", "one that is not declared yet"])
def test_a_broker_that_says_nothing_any_more_is_given_up_within_seconds(door, rabbitmq, amqp_uri, publishing, queue):
    publisher = publishing(through(door, rabbitmq, amqp_uri))
    publisher.probe()
    door.fall_silent()
    began = time.monotonic()

    with pytest.raises(BrokerUnavailable):
        publisher.publish([doorbell(queue, "one")])

    assert time.monotonic() - began < 7
