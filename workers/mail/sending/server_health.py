"""Tracks whether the mail server takes mails, and over how many connections.

`workers/mail/delivery.py` reports every outcome here, and `workers/mail/sender.py` asks how many mails it may send at
a time.
"""

from time import monotonic
from typing import Final

MAX_SENDERS: Final = 4
"""Most mails that one mail worker sends at a time, each over a connection of its own."""
LONGEST_AWAY_SECONDS: Final = 15.0
"""Longest pause before the next try of a mail server that is away."""
FORGOTTEN_SECONDS: Final = 60.0
"""How long a server counts as away after the time of its next try, if nothing tries it."""
NARROW_SECONDS: Final = 60.0
"""How long a mail worker uses fewer connections after the server was too busy for them."""


class ServerHealth:
    """Whether the mail server takes mails. While it doesn't, one mail tries it now and then, and all others wait.

    So an outage of hours uses up no attempts, and all mails go out as soon as it is over.
    """

    def __init__(self, pause: float) -> None:
        """Leave a server that is away alone for `pause` seconds at first, then longer each time."""
        self._first = self._pause = pause
        self._next_try_at = self._narrow_until = 0.0
        self._away = False
        self._width = MAX_SENDERS

    @property
    def is_away(self) -> bool:
        """Whether the server took no mail at the last try, unless that is long ago: then nothing waits for it."""
        return self._away and monotonic() < self._next_try_at + FORGOTTEN_SECONDS

    def senders(self) -> int:
        """Return how many mails may be sent at a time now."""
        now = monotonic()
        if self._away:
            return 1 if now >= self._next_try_at else 0
        if now >= self._narrow_until:
            self._width = MAX_SENDERS
        return self._width

    def answered(self) -> None:
        """Note that the server took a mail, or replied something about that mail."""
        self._away, self._pause = False, self._first

    def failed(self, busy: bool) -> float:
        """Note that the server took no mail at all, and return the seconds until the next try.

        `busy`: it replied that we should come back later.
        """
        if busy and self._width > 1:  # our own other connections may be what keeps it busy
            self._width, self._narrow_until = self._width - 1, monotonic() + NARROW_SECONDS
            return self._first
        if self.senders():  # of several mails that fail at once, only the first lengthens the pause
            pause, self._pause = self._pause, min(self._pause * 2, LONGEST_AWAY_SECONDS)
            self._away, self._next_try_at = True, monotonic() + pause
        return max(self._next_try_at - monotonic(), 0.05)
