"""Has Python's garbage collector look where there may be garbage, and not again and again at what stays.

Stands under all processes. A collector's round over everything that a worker has loaded takes 40 ms, in which nothing
else happens.
"""

import gc
from typing import Final

NEW: Final = 10_000
"""Objects that come without others going before the new ones are looked at. Python's own figure, 700, is less than what
belongs to the jobs that one process has at a time; cycles are rare here."""


def freeze() -> None:
    """To be called when all is loaded: what is here now stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW, *gc.get_threshold()[1:])
