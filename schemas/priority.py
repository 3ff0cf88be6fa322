"""The three priorities of a job."""

from typing import Literal

Priority = Literal["low", "normal", "high"]
"""Which jobs of a queue are started first: high before normal before low."""
