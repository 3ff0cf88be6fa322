"""Whether the mail server takes mails, and over how many connections.

`mailer.py` reports every outcome here; `workers/mail/sender.py` asks how many mails it may send at a time.
"""

from time import monotonic
from typing import Final

SENDERS: Final = 4
"""Connections to the mail server at most, of one mail worker."""
LONGEST_AWAY_SECONDS: Final = 15.0
"""How long a mail server that is away is left alone at most before one mail tries it again."""
NARROW_SECONDS: Final = 60.0
"""How long fewer connections are used after the server had too many."""


class ServerHealth:
    """Whether the mail server takes mails: while it doesn't, one mail tries it now and then and all others wait.

    So an outage of hours costs no mail its patience, and when it is over all of them go out at once.
    """

    def __init__(self, pause: float) -> None:
        """Leave it alone for `pause` seconds at first, then longer each time."""
        self._first = self._pause = pause
        self._tried_at = self._narrow_until = 0.0
        self._in_doubt = False
        self._width = SENDERS

    def senders(self) -> int:
        """Tell how many may be at work now."""
        now = monotonic()
        if self._in_doubt:
            return 1 if now >= self._tried_at else 0
        if now >= self._narrow_until:
            self._width = SENDERS
        return self._width

    def answered(self) -> None:
        """Note that it took a mail, or said something about one."""
        self._in_doubt, self._pause = False, self._first

    def failed(self, busy: bool) -> float:
        """Note that it took nothing, and give the seconds until it is tried again. `busy`: it had us come later."""
        if busy and self._width > 1:  # the others may be what it is busy with
            self._width, self._narrow_until = self._width - 1, monotonic() + NARROW_SECONDS
            return self._first
        if self.senders():  # the first to see it, of several that came in vain
            pause, self._pause = self._pause, min(self._pause * 2, LONGEST_AWAY_SECONDS)
            self._in_doubt, self._tried_at = True, monotonic() + pause
        return max(self._tried_at - monotonic(), 0.05)
