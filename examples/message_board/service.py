"""Keeps short messages in Redis for a while, with the dependency `MessageStore`."""

from typing import Annotated, Any

from pydantic import Field

from errand.settings import Settings
from examples.message_board.store import MessageRefused, Messages, MessageUnknown
from workers.extending import DependencyProvider, rpc, settings_of


class BoardSettings(Settings):
    """Errand's settings and one more, from the environment or `.env`."""

    message_ttl: Annotated[int, Field(ge=1, le=31_536_000)] = 3600
    """MESSAGE_TTL: how long a message is kept, in seconds."""


class MessageStore(DependencyProvider):
    """Injects the messages. It connects on the first call, and all calls share a connection pool."""

    def check(self) -> None:
        """Refuse an invalid MESSAGE_TTL before anything starts."""
        BoardSettings.load()

    def setup(self) -> None:
        settings = settings_of(self)
        self._messages = Messages.at(settings.redis_url, settings.key_prefix, BoardSettings.load().message_ttl)

    def get_dependency(self, worker_ctx: Any) -> Messages:
        return self._messages


class MessageService:
    """The board's methods, called over the broker."""

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
