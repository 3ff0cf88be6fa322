"""A notification: that somebody is to be told something about a job, and how far that has come.

`receipt`, `result`, `failure` and `cancelled` belong to a job; `letter` is a mail on its own (the `mail.send` call).
"""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

Occasion = Literal["accepted", "succeeded", "failed", "cancelled"]
"""What happens to a job and may be told: that it was accepted, or how it ended."""


class Channel(StrEnum):
    """The way by which somebody is told."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    """A signed POST to an address of the client's own."""


class NoticeKind(StrEnum):
    """What the notification tells."""

    RECEIPT = "receipt"
    """Your job was accepted."""
    RESULT = "result"
    """Your job succeeded; this is the result."""
    FAILURE = "failure"
    """Your job failed; this is why."""
    CANCELLED = "cancelled"
    """Your job was called off, or nobody waited for it any more."""
    LETTER = "letter"
    """A mail somebody asked for by itself."""


class NoticeState(StrEnum):
    """How far the notification has come."""

    PENDING = "pending"
    """Not sent yet; will be tried (again)."""
    SENT = "sent"
    """Final: the mail server, or the webhook's receiver, took it."""
    FAILED = "failed"
    """Final: it was refused for good, or in vain for too long (MAIL_GIVE_UP, WEBHOOK_GIVE_UP)."""
    DISABLED = "disabled"
    """Final: mail is switched off in the settings."""
    UNSUBSCRIBED = "unsubscribed"
    """Final: whoever reads mails at this address wants none from here."""


class Notification(BaseModel):
    """One row of a job's `notifications`."""

    model_config = ConfigDict(extra="ignore")

    channel: Channel = Channel.MAIL
    to: str
    kind: NoticeKind
    state: NoticeState
    attempts: int = 0
    last_error: str | None = None
    sent_at: str | None = None
