"""What can be computed: every module of this package is loaded, and each decorated function is an operation.

Stands at step 4 of a job's life. `OPERATIONS` has them by name; drop a module in here and restart the workers.
"""

import pkgutil
from importlib import import_module

from workers.operations.registry import REGISTRY, Operation

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

OPERATIONS: dict[str, Operation] = REGISTRY
