"""Claims notifications that are due, and settles them: each is sent at least once and recorded once.

A job comes from `scripts/commit.lua`, which records what is to be sent. The mail and the webhook service claim the
notifications of their channel. Next: `workers/mail/delivery.py`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from errand.record import JobRecord
from errand.store.redis_access.store_part import StorePart, fields_of
from schemas.notifications import Channel, NoticeKind, NoticeState
from schemas.status import Status

LETTER_KEPT_MS = 86_400_000
"""How long a mail that belongs to no job is kept after it was settled (ms)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedNotification:
    """One attempt to send a notification, claimed by this process. `since` (a moment) and `age` are in ms.

    `name` is unique among the notifications of one job by one channel: `receipt`, and `receipt-2` for the second
    address. `receiver` is the host of a webhook, with its port if it has one. `attempt` is the fence: an older attempt
    can't settle the notification any more.
    """

    kind: NoticeKind
    id: str
    attempt: int = 1
    since: int = 0
    channel: Channel = Channel.MAIL
    name: str = ""
    to: str = ""
    age: int = 0
    receiver: str = ""


@dataclass(frozen=True, slots=True)
class JobEnding:
    """How one run of a job ended, kept with its notification: a later run takes this from the job's record.

    `run` counts from 0, as the record's `retries` do; `error` is JSON text; the moments are in ms.
    """

    status: Status
    error: str
    attempt: int
    finished_at: int
    run: int
    started_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueJobNotification(ClaimedNotification):
    """A notification about a job. `ending` is how the job had ended, where its record may no longer say so."""

    record: JobRecord
    ending: JobEnding | None = None

    @property
    def record_at_end(self) -> JobRecord:
        """Return the record as it was when the job ended so: the job may have been run again since."""
        record, ending = self.record, self.ending
        if ending is None:
            return record
        if record.retries != ending.run:  # these fields belong to another run
            record = record._replace(
                result=None, progress=None, run_at=None, deadline=None, started_at=None, expires_at=None
            )
        return record._replace(
            status=ending.status,
            error=ending.error,
            attempt=ending.attempt,
            finished_at=ending.finished_at,
            started_at=ending.started_at or record.started_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLetter(ClaimedNotification):
    """A mail that belongs to no job (the `mail.send` call)."""

    subject: str
    body: str


DueNotification = DueJobNotification | DueLetter
"""What a worker has claimed to send."""


class NotificationsPart(StorePart):
    """The part of the store that has notifications."""

    def add_letter(self, letter_id: str, to: str, subject: str, body: str) -> None:
        """Store a mail that belongs to no job; it is due at once."""
        self._run("add_letter", letter_id, to, subject, body)

    def claim_mails(self, most: int, lease_seconds: float) -> list[DueNotification]:
        """Claim up to `most` mails that are due; those that aren't settled are due again after `lease_seconds`.

        Mails to an address that has unsubscribed end UNSUBSCRIBED; mails to an address that has had its share of this
        hour (MAIL_RATE) wait for their turn.
        """
        return self._claim_due(Channel.MAIL, lease_seconds, most)

    def claim_webhooks(
        self, most: int, lease_seconds: float, longest: int, share: int, at_hand: Mapping[str, int]
    ) -> list[DueJobNotification]:
        """Do the same with webhooks, for receivers to which this process sends fewer than `share` now (`at_hand`).

        Arguments and results of more than `longest` bytes are left out of the record, which has their names in
        `omitted`.
        """
        due = self._claim_due(Channel.WEBHOOK, lease_seconds, most, longest=longest, share=share, at_hand=at_hand)
        return cast(list[DueJobNotification], due)  # no letter goes to a webhook

    def hold(self, notice: DueNotification, lease_seconds: float) -> bool:
        """Renew the lease of a notification that is being sent. False: a later attempt has begun."""
        tail = (notice.name, notice.id, notice.attempt, int(lease_seconds * 1000))
        return bool(self._run("hold_notification", notice.channel, *tail))

    def settle(self, notice: DueNotification, state: NoticeState, error: str = "", retry_after: float = 0.0) -> bool:
        """Record how the attempt ended; PENDING: try again in `retry_after` s. False: a later attempt has begun."""
        tail = (state.value, error[:500], int(retry_after * 1000), LETTER_KEPT_MS)
        return bool(self._run("settle_notification", notice.channel, notice.name, notice.id, notice.attempt, *tail))

    def _claim_due(
        self,
        channel: Channel,
        lease_seconds: float,
        most: int,
        *,
        longest: int | str = "",
        share: int | str = "",
        at_hand: Mapping[str, int] | None = None,
    ) -> list[DueNotification]:
        pace = (self._pace.hourly, int(self._pace.give_up * 1000), LETTER_KEPT_MS)
        busy = [text for receiver, count in (at_hand or {}).items() for text in (receiver, count)]
        while True:
            lease = int(lease_seconds * 1000)
            more, *rows = self._run("claim_notifications", channel, lease, most, longest, share, *pace, *busy)
            if rows or not more:
                return [_due(channel, row) for row in rows]


def _due(channel: Channel, row: list[Any]) -> DueNotification:
    name, id_, attempt, since, age, receiver, note, flat = row
    state, fields = json.loads(note), fields_of(flat)
    claimed: dict[str, Any] = {
        "kind": NoticeKind(state["kind"]),
        "id": id_,
        "attempt": int(attempt),
        "since": int(since),
        "channel": channel,
        "name": name,
        "to": state["to"],
        "age": int(age),
        "receiver": receiver,
    }
    if claimed["kind"] is NoticeKind.LETTER:
        return DueLetter(subject=fields["subject"], body=fields["body"], **claimed)
    return DueJobNotification(record=JobRecord.read(id_, fields), ending=_ending(state.get("ending")), **claimed)


def _ending(state: dict[str, str] | None) -> JobEnding | None:
    if not state:
        return None
    started_at = state.get("started_at")
    return JobEnding(
        status=Status(state["status"]),
        error=state["error"],
        attempt=int(state["attempt"]),
        finished_at=int(state["finished_at"]),
        run=int(state["run"]),
        started_at=int(started_at) if started_at else None,
    )
