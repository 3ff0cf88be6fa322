"""The messages in Redis: each is a text under its own expiring key; a list has the newest ones."""

import re
from collections.abc import Generator
from contextlib import closing
from typing import Any, Self
from uuid import uuid4

import redis

LONGEST = 400  # characters of a message
MOST = 200  # messages listed; older ones can be read by their ids
ID = re.compile("[0-9a-f]{32}")


class MessageUnknown(Exception):
    """There is no message with this id, or it has expired."""


class MessageRefused(Exception):
    """This is not a message."""


class Messages:
    """The messages of one board."""

    def __init__(self, client: Any, prefix: str, ttl: int = 3600) -> None:
        """Keep the messages under `prefix`, each for `ttl` seconds; `client` decodes responses."""
        self._redis, self._prefix, self._ttl = client, f"{prefix}message_board:", ttl

    @classmethod
    def at(cls, url: str, prefix: str, ttl: int = 3600) -> Self:
        """Use the Redis at `url`; a response may take three seconds."""
        options = {"socket_timeout": 3, "socket_connect_timeout": 3, "max_connections": 100}
        return cls(redis.Redis.from_url(url, decode_responses=True, **options), prefix, ttl)

    def save_message(self, message: str) -> str:
        """Save a message, notify all watchers, and return its id."""
        if not (isinstance(message, str) and message.strip() and len(message) <= LONGEST):
            raise MessageRefused(f"A message is a text of 1 to {LONGEST} characters.")
        if any("\ud800" <= character <= "\udfff" for character in message):
            raise MessageRefused("This text has half a character, which can't be stored.")
        message_id = uuid4().hex
        with self._redis.pipeline() as all_or_nothing:
            all_or_nothing.set(self._key(message_id), message, ex=self._ttl)
            all_or_nothing.lpush(self._key("ids"), message_id).ltrim(self._key("ids"), 0, MOST - 1)
            for rule in ("nx", "gt"):  # the list expires with its last message
                all_or_nothing.expire(self._key("ids"), self._ttl, **{rule: True})
            all_or_nothing.publish(self._key("news"), message_id)
            all_or_nothing.execute()
        return message_id

    def get_message(self, message_id: str) -> str:
        """Return the text of a message."""
        known = isinstance(message_id, str) and ID.fullmatch(message_id)
        text: str | None = self._redis.get(self._key(message_id)) if known else None
        if text is None:
            raise MessageUnknown("There is no message with this id, or it has expired.")
        return text

    def get_all_messages(self) -> list[dict[str, object]]:
        """Return the newest messages, newest first, each with the milliseconds until it expires."""
        ids = self._redis.lrange(self._key("ids"), 0, -1)
        with self._redis.pipeline() as at_once:
            for message_id in ids:
                at_once.get(self._key(message_id)).pttl(self._key(message_id))
            answers = iter(at_once.execute())
        found = zip(ids, answers, answers, strict=True)
        return [{"id": each, "message": text, "expires_in": left} for each, text, left in found if text is not None]

    def news(self) -> Generator[str | None, None, None]:
        """Yield the id of each message saved from now on, and None after a second without any."""
        with closing(self._redis.pubsub(ignore_subscribe_messages=True)) as heard:
            heard.subscribe(self._key("news"))
            while True:
                told = heard.get_message(timeout=1)
                yield told["data"] if told else None

    def _key(self, name: str) -> str:
        return self._prefix + name
