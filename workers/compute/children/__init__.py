"""The worker's side of child processes, in which every operation runs that isn't tiny.

A job passes `pool.py`, then `child_process.py`; `workers/compute/child/` runs inside a child. Next: `pool.py`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.compute.children.pool import ChildPool, JobListener, RunRequest

__all__ = ["ChildPool", "JobListener", "RunRequest"]


def __getattr__(name: str) -> Any:
    """Import the worker's side on first use: a child imports this package too, and must not load eventlet."""
    if name in __all__:
        from workers.compute.children import pool

        return getattr(pool, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
