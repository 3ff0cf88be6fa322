"""Unit tests of the message board's service: its dependency is replaced, and no broker is there."""

import pytest
from nameko.testing.services import worker_factory

from examples.message_board.service import MessageService
from examples.message_board.store import MessageRefused, Messages, MessageUnknown


def test_a_message_is_saved() -> None:
    service = worker_factory(MessageService)
    service.message_store.save_message.side_effect = lambda message: f"id of {message}"

    assert service.save_message("Nameko is awesome!") == "id of Nameko is awesome!"
    service.message_store.save_message.assert_called_once_with("Nameko is awesome!")


def test_an_unknown_message_is_an_error_that_says_so() -> None:
    class Nothing:
        def get(self, key: str) -> None:
            return None

    service = worker_factory(MessageService, message_store=Messages(Nothing(), "test:"))

    for message_id in ("b8e2c3f0a1d94c5e8f7a6b5c4d3e2f10", "no such message", "\ud800", 7, {"$ne": None}):
        with pytest.raises(MessageUnknown, match="There is no message with this id, or it has expired"):
            service.get_message(message_id)


def test_what_can_not_be_stored_is_refused_before_redis_is_asked() -> None:
    service = worker_factory(MessageService, message_store=Messages(None, "test:"))

    for message in (None, "", " \n", 7, ["a"], "x" * 401, "half a character: \ud800"):
        with pytest.raises(MessageRefused):
            service.save_message(message)
