"""Notifications: mails and webhooks about a job, each with its state.

`receipt`, `result`, `failure` and `cancelled` belong to a job; `letter` is a mail of its own (the `mail.send` call).
"""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

Occasion = Literal["accepted", "succeeded", "failed", "cancelled"]
"""What a notification can be about: that the job was accepted, or how it ended."""


class Channel(StrEnum):
    """The way in which a notification is sent."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    """A signed POST to a URL of the client."""


class NoticeKind(StrEnum):
    """What the notification says."""

    RECEIPT = "receipt"
    """Your job was accepted."""
    RESULT = "result"
    """Your job succeeded; this is the result."""
    FAILURE = "failure"
    """Your job failed; this is why."""
    CANCELLED = "cancelled"
    """Your job was cancelled, or its deadline passed."""
    LETTER = "letter"
    """A mail that belongs to no job."""


class NoticeState(StrEnum):
    """State of the notification."""

    PENDING = "pending"
    """Not sent yet; will be tried, or tried again."""
    SENT = "sent"
    """Final: the mail server, or the webhook's receiver, took it."""
    FAILED = "failed"
    """Final: it was refused for good, or could not be sent for too long (MAIL_GIVE_UP, WEBHOOK_GIVE_UP)."""
    DISABLED = "disabled"
    """Final: mail is switched off in the settings."""
    UNSUBSCRIBED = "unsubscribed"
    """Final: this address has unsubscribed."""


class Notification(BaseModel):
    """One row of a job's `notifications`."""

    model_config = ConfigDict(extra="ignore", json_schema_serialization_defaults_required=True)

    channel: Channel = Channel.MAIL
    to: str
    kind: NoticeKind
    state: NoticeState
    attempts: int = 0
    last_error: str | None = None
    sent_at: str | None = None
