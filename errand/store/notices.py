"""Notifications in the store: what is due is claimed, then settled, at least once and marked once.

Stands behind step 6 of a job's life; `workers/mail/service.py` and `workers/webhooks/service.py` are its readers,
each of its channel.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from errand.store.base import StorePart, record_of
from schemas.notices import Channel, NoticeKind, NoticeState

LETTER_KEPT_MS = 86_400_000
"""How long a mail that belongs to no job is kept after it was settled (ms)."""


@dataclass(frozen=True, slots=True)
class DueNotification:
    """One attempt to tell somebody. `record` is the job's (or letter's) hash as text; `since` and `age` are in ms.

    `name` is unlike that of all other notices of its job by the same channel: `receipt`, and `receipt-2` to the second
    address. `receiver` is the host of a webhook, with its port if
    it has one. `ending` is how the job had ended, where a retry may have taken that from the record.
    """

    kind: NoticeKind
    id: str
    attempt: int
    since: int
    record: dict[str, str]
    channel: Channel = Channel.MAIL
    name: str = ""
    to: str = ""
    age: int = 0
    receiver: str = ""
    ending: dict[str, str] = field(default_factory=dict)


class NotificationsPart(StorePart):
    """The notifications' side of the store."""

    def post(self, letter_id: str, to: str, subject: str, body: str) -> None:
        """Record a mail that belongs to no job; it is due at once."""
        self._run("post", letter_id, to, subject, body)

    def collect(self, most: int, lease_seconds: float) -> list[DueNotification]:
        """Claim up to `most` mails that are due; unsettled ones are due again after `lease_seconds`.

        Those to who wants no mails end UNSUBSCRIBED, and those to who had his share wait until his next is due.
        """
        return self._collect(Channel.MAIL, lease_seconds, most)

    def collect_webhooks(
        self, most: int, lease_seconds: float, longest: int, share: int, at_hand: Mapping[str, int]
    ) -> list[DueNotification]:
        """Do the same with webhooks, for those receivers that have less than `share` of them `at_hand`.

        Arguments and results of more than `longest` bytes are left out of the record, which has their names as
        `omitted` (JSON).
        """
        return self._collect(Channel.WEBHOOK, lease_seconds, most, longest=longest, share=share, at_hand=at_hand)

    def hold(self, notice: DueNotification, lease_seconds: float) -> bool:
        """Keep a notification that is being sent for another `lease_seconds`. False: overtaken."""
        tail = (notice.name, notice.id, notice.attempt, int(lease_seconds * 1000))
        return bool(self._run("hold", notice.channel, *tail))

    def settle(self, notice: DueNotification, state: NoticeState, error: str = "", retry_after: float = 0.0) -> bool:
        """Write down how the attempt ended; PENDING means again in `retry_after` seconds. False: overtaken."""
        tail = (state.value, error[:500], int(retry_after * 1000), LETTER_KEPT_MS)
        return bool(self._run("settle", notice.channel, notice.name, notice.id, notice.attempt, *tail))

    def _collect(
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
            more, *rows = self._run("collect", channel, lease, most, longest, share, *pace, *busy)
            if rows or not more:
                return [_notice(channel, row) for row in rows]


def _notice(channel: Channel, row: list[Any]) -> DueNotification:
    name, id_, attempt, since, age, receiver, note, fields = row
    told: dict[str, Any] = json.loads(note)
    return DueNotification(
        kind=NoticeKind(told["kind"]),
        id=id_,
        attempt=int(attempt),
        since=int(since),
        record=record_of(fields) | {"id": id_},
        channel=channel,
        name=name,
        to=told["to"],
        age=int(age),
        receiver=receiver,
        ending=told.get("ending") or {},
    )
