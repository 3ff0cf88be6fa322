"""Tells those who have the mailbox open what has changed in it: the body of `GET /mailbox/events`.

Stands behind `views.py`. The folder is looked at again and again: a look costs next to nothing while nothing changes,
and no other process need tell us anything. Next: `folder.py`.
"""

import json
from collections.abc import Iterator
from time import monotonic
from typing import Final

from api.events import sse
from api.feed.broadcaster import Broadcaster
from api.mailbox.folder import MailFolder

LOOK_SECONDS: Final = 0.3
"""Between two looks of a stream."""
LOOK_SHARE: Final = 0.05
"""Of its time that a stream may spend with looking: a folder that takes long is looked at less often."""


def mail_events(folder: MailFolder, watch: Broadcaster) -> Iterator[bytes]:
    """Write what is in the folder, at once and when it has changed, and heartbeats; until `watch` is closed."""
    yield sse.HELLO
    said, said_at = b"", monotonic()
    while True:
        began = monotonic()
        news = _mails_event(folder)
        took = monotonic() - began
        if news != said:
            said, said_at = news, monotonic()
            yield news
        elif monotonic() - said_at >= sse.HEARTBEAT_SECONDS:
            said_at = monotonic()
            yield sse.comment("still here")
        if watch.stops_within(max(LOOK_SECONDS, took / LOOK_SHARE)):
            yield sse.comment("the server stops")
            return


def _mails_event(folder: MailFolder) -> bytes:
    found = folder.listing().mails
    told = {"total": len(found), "newest": found[0].id if found else None}
    return f"event: mails\ndata: {json.dumps(told)}\n\n".encode()
