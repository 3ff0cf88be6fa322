"""An integration test of the message board's service: in a container of nameko's, on a real broker and a real Redis."""

import pytest
from nameko.exceptions import RemoteError
from nameko.standalone.rpc import ServiceRpcProxy
from nameko.testing.services import entrypoint_hook

from errand.settings import Settings
from examples.message_board.service import MessageService


def test_messages_are_kept_in_redis(container_factory, rabbit_config) -> None:
    container = container_factory(MessageService, {**rabbit_config, "SETTINGS": Settings.load()})
    container.start()

    with entrypoint_hook(container, "save_message") as save:
        message_id = save("Nameko is awesome!")
    with entrypoint_hook(container, "get_message") as get:
        assert get(message_id) == "Nameko is awesome!"
    with ServiceRpcProxy("message_service", rabbit_config, timeout=20) as service:
        (message,) = service.get_all_messages()
        assert (message["id"], message["message"]) == (message_id, "Nameko is awesome!")
        with pytest.raises(RemoteError, match="MessageUnknown There is no message with this id"):
            service.get_message("0" * 32)
    container.stop()
