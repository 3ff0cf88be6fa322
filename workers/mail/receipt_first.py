"""Lets the receipt of a job go before the mail about its end. Used by `sender.py`."""

import json
from time import monotonic
from typing import Final

import eventlet

from errand.errors import StoreUnavailable
from errand.record import JobRecord
from errand.store import DueJobNotification, DueNotification
from schemas.notifications import NoticeKind, NoticeState
from workers.dependencies import WorkerStore
from workers.mail.writing.message_ids import receipt_of

LOOK_SECONDS: Final = 0.05
"""Pause between two looks at whether the receipt was sent."""
ENDINGS: Final = frozenset((NoticeKind.RESULT, NoticeKind.FAILURE, NoticeKind.CANCELLED))
"""Mails about the end of a job."""


def wait_for_receipt(store: WorkerStore, notice: DueNotification, seconds: float) -> None:
    """Wait, at most `seconds`, while any worker makes its first attempt to send the receipt to the same recipient."""
    if not isinstance(notice, DueJobNotification) or notice.kind not in ENDINGS:
        return
    until = monotonic() + seconds
    record: JobRecord | None = notice.record
    receipt = f"mail:{receipt_of(notice.name)}"
    while record and _is_first_attempt(record, receipt) and monotonic() < until:
        eventlet.sleep(LOOK_SECONDS)
        try:
            record = store.store.get(notice.id)
        except StoreUnavailable:
            return


def _is_first_attempt(record: JobRecord, name: str) -> bool:
    note = json.loads(record.notes.get(name, "{}"))
    return note.get("state") == NoticeState.PENDING and not note.get("last_error")
