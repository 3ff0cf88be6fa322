"""Lets the receipt of a job go before the mail about its end. Used by `sender.py`."""

import json
from collections.abc import Mapping
from time import monotonic
from typing import Final

import eventlet

from errand.errors import StoreUnavailable
from errand.store import DueNotification
from schemas.notices import NoticeKind, NoticeState
from workers.dependencies import WorkerStore
from workers.mail.writing.message_ids import receipt_of

LOOK_SECONDS: Final = 0.05
"""Pause between two looks at whether the receipt was sent."""
ENDINGS: Final = frozenset((NoticeKind.RESULT, NoticeKind.FAILURE, NoticeKind.CANCELLED))
"""Mails about the end of a job."""


def wait_for_receipt(store: WorkerStore, notice: DueNotification, seconds: float) -> None:
    """Wait, at most `seconds`, while any worker makes its first attempt to send the receipt to the same recipient."""
    until = monotonic() + seconds
    record: Mapping[str, str] | None = notice.record
    receipt = f"note:mail:{receipt_of(notice.name)}"
    while notice.kind in ENDINGS and record and _is_first_attempt(record, receipt) and monotonic() < until:
        eventlet.sleep(LOOK_SECONDS)
        try:
            record = store.store.get(notice.id)
        except StoreUnavailable:
            return


def _is_first_attempt(record: Mapping[str, str], name: str) -> bool:
    note = json.loads(record.get(name, "{}"))
    return note.get("state") == NoticeState.PENDING and not note.get("last_error")
