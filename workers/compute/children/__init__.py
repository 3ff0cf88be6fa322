"""Child processes: where operations run that are not tiny. The worker's side of it is `pool.py`, theirs `child.py`.

Stands at step 4 of a job's life. In the order of a job: `pool.py` and `child_process.py` in the worker; `child.py`,
then `one_at_a_time.py` or `many_at_once.py` in the child. Next: `pool.py`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.compute.children.pool import ChildPool, JobListener, RunRequest

__all__ = ["ChildPool", "JobListener", "RunRequest"]


def __getattr__(name: str) -> Any:
    """Load the worker's side when it is asked for: a child that starts must not load the hub with it."""
    if name in __all__:
        from workers.compute.children import pool

        return getattr(pool, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
