"""Child processes: where every operation runs that is not tiny. `pool.py` is the worker's side, `workers/compute/child/__main__.py` the child's.

In the order of a job: `pool.py` and `child_process.py` in the worker; `workers/compute/child/__main__.py`, then `workers/compute/child/one_at_a_time.py` or
`workers/compute/child/many_at_once.py`, in the child. Next: `pool.py`.
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
