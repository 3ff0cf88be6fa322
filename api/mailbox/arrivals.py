"""Streams the changes of the mailbox to open pages: the body of `GET /mailbox/events`.

The stream polls the folder. While nothing changes, a poll costs next to nothing, and no other process has to notify us.
"""

import json
from collections.abc import Iterator
from time import monotonic
from typing import Final

from api.events import sse
from api.feed.broadcaster import Broadcaster
from api.mailbox.folder import MailFolder

POLL_SECONDS: Final = 0.3
"""Seconds between two polls of a stream."""
POLL_SHARE: Final = 0.05
"""Maximum share of time that a stream spends polling: a slow folder is polled less often."""


def mail_events(folder: MailFolder, broadcaster: Broadcaster) -> Iterator[bytes]:
    """Write the state of the folder, now and after each change, and heartbeats, until `broadcaster` is closed."""
    yield sse.HELLO
    sent, sent_at = b"", monotonic()
    while True:
        began = monotonic()
        event = _mails_event(folder)
        took = monotonic() - began
        if event != sent:
            sent, sent_at = event, monotonic()
            yield event
        elif monotonic() - sent_at >= sse.HEARTBEAT_SECONDS:
            sent_at = monotonic()
            yield sse.comment("still here")
        if broadcaster.stops_within(max(POLL_SECONDS, took / POLL_SHARE)):
            yield sse.comment("the server stops")
            return


def _mails_event(folder: MailFolder) -> bytes:
    found = folder.listing().mails
    state = {"total": len(found), "newest": found[0].id if found else None}
    return f"event: mails\ndata: {json.dumps(state)}\n\n".encode()
