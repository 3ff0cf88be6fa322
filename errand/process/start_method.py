"""Has multiprocessing fork its processes, as API and `make run` need; Python 3.14 no longer does so by itself."""

import multiprocessing
import sys


def fork_processes() -> None:
    """Fork the processes that libraries start from now on; on Linux only, as forking isn't safe on macOS.

    granian's processes share the memory of their parent, and watch over it; so do honcho's. Neither works when a
    server in between forks them, which is the default since Python 3.14.
    """
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork", force=True)
