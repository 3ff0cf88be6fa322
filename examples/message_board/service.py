"""Keeps short messages in Redis for a while, by a dependency: `MessageStore`."""

from typing import Annotated, Any

from pydantic import Field

from errand.settings import Settings
from examples.message_board.store import MessageRefused, Messages, MessageUnknown
from workers.extending import DependencyProvider, rpc, settings_of


class BoardSettings(Settings):
    """Errand's settings and one more, from the environment or `.env`."""

    message_ttl: Annotated[int, Field(ge=1, le=31_536_000)] = 3600
    """MESSAGE_TTL: seconds that a message is kept."""


class MessageStore(DependencyProvider):
    """The messages. Nothing is connected before the first call, and calls share a pool of connections."""

    def check(self) -> None:
        """Refuse a MESSAGE_TTL that can't be, before anything is started."""
        BoardSettings.load()

    def setup(self) -> None:
        settings = settings_of(self)
        self._messages = Messages.at(settings.redis_url, settings.key_prefix, BoardSettings.load().message_ttl)

    def get_dependency(self, worker_ctx: Any) -> Messages:
        return self._messages


class MessageService:
    """What the board can do, over the broker."""

    name = "message_service"
    message_store = MessageStore()

    @rpc(expected_exceptions=MessageRefused)
    def save_message(self, message: str) -> str:
        return self.message_store.save_message(message)

    @rpc(expected_exceptions=MessageUnknown)
    def get_message(self, message_id: str) -> str:
        return self.message_store.get_message(message_id)

    @rpc
    def get_all_messages(self) -> list[dict[str, object]]:
        return self.message_store.get_all_messages()
