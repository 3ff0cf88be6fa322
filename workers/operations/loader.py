"""Loads operations: imports modules and packages by name, so that their decorated functions register themselves.

The worker does it at its start, and so does each child process.
"""

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType

from errand.errors import SettingsRefused
from workers.operations.registry import REGISTRY, RegisteredOperation


def load(names: Iterable[str]) -> dict[str, RegisteredOperation]:
    """Import each module by its dotted name, a package with all its modules; return all operations by name.

    Raises SettingsRefused with the module's name if it can't be imported.
    """
    for name in names:
        folders = getattr(_import(name), "__path__", ())
        load(f"{name}.{inner.name}" for inner in pkgutil.iter_modules(folders) if inner.name != "__main__")
    return REGISTRY


def _import(name: str) -> ModuleType:
    try:
        return import_module(name)
    except SettingsRefused as refusal:
        raise SettingsRefused(f"{name}: {refusal.detail}") from refusal
    except (Exception, SystemExit) as error:
        raise SettingsRefused(
            f"The operations in {name} can't be loaded: {type(error).__name__}: {error}. Fix or remove that module.",
            module=name,
        ) from error
