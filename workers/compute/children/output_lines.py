"""Splits what an operation prints into lines of its job's log, and limits their length and number."""

from collections.abc import Callable
from time import monotonic

LONGEST = 2000
"""Maximum characters of a line; the rest is cut off."""
AT_ONCE = 1000
"""Lines that may come in a burst."""
PER_SECOND = 200
"""Lines that may come in the long run."""

_ENOUGH = LONGEST * 4 + 4
"""Bytes that hold the longest line and one more character."""


class OutputLines:
    """Takes output piece by piece and delivers it line by line; never holds more than one line."""

    def __init__(self, deliver: Callable[[str], None]) -> None:
        """Give each line to `deliver`."""
        self._deliver = deliver
        self._rest = b""
        self._left_out = 0
        self._allowance, self._counted_at = float(AT_ONCE), monotonic()

    def feed(self, data: bytes) -> None:
        """Take a piece of output."""
        while data:
            if not (allowed := self._allowed()):
                self._skip(data)
                return
            *lines, data = data.split(b"\n", allowed)
            for line in lines:
                self._line(self._rest + line)
                self._rest = b""
            if len(lines) < allowed:  # the rest has no line break
                self._rest = (self._rest + data)[:_ENOUGH]
                return

    def close(self) -> None:
        """Deliver an unfinished last line, and say how many lines were left out."""
        if self._rest:
            self._line(self._rest)
            self._rest = b""
        self._deliver_left_out()

    def _allowed(self) -> int:
        now = monotonic()
        self._allowance = min(AT_ONCE, self._allowance + (now - self._counted_at) * PER_SECOND)
        self._counted_at = now
        return int(self._allowance)

    def _skip(self, data: bytes) -> None:
        """Count lines without delivering them."""
        self._left_out += data.count(b"\n")
        start = data.rfind(b"\n") + 1
        self._rest = (data[start:] if start else self._rest + data)[:_ENOUGH]

    def _line(self, line: bytes) -> None:
        self._allowance -= 1
        self._deliver_left_out()
        text = line[:_ENOUGH].decode("utf-8", "replace").removesuffix("\r")
        self._deliver(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")

    def _deliver_left_out(self) -> None:
        if self._left_out:
            self._deliver(f"… {self._left_out} lines left out")
            self._left_out = 0
