"""What can be computed: each decorated function in a module of this package is an operation.

Stands at step 4 of a job's life. `OPERATIONS` loads them; drop a module in here and restart the workers. They are
loaded when first asked for, so that a deployment with operations of its own can use the decorator without these.
"""

from typing import Any

from workers.operations.registry import RegisteredOperation

OPERATIONS: dict[str, RegisteredOperation]
"""All operations of this package by name."""


def __getattr__(name: str) -> Any:
    """Load every module of this package when `OPERATIONS` is asked for."""
    if name != "OPERATIONS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from workers.operations.loader import load

    return load([__name__])
