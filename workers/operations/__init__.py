"""Errand's own operations: every decorated function in a module of this package.

To add one, put a module here and restart the workers. `OPERATIONS` loads them on first use, so a deployment with
operations of its own can use the decorator without loading these.
"""

from typing import Any

from workers.operations.registry import RegisteredOperation

OPERATIONS: dict[str, RegisteredOperation]
"""All operations of this package by name."""


def __getattr__(name: str) -> Any:
    """Load every module of this package on the first use of `OPERATIONS`."""
    if name != "OPERATIONS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from workers.operations.loader import load

    return load([__name__])
