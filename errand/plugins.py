"""Finds plug-ins by the dotted paths in EXAMPLES: packages with a `service` module, a `routes` module or both.

`workers/plugins/loader.py` loads the services, `api/plugins.py` the routes; each side imports only its own modules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final

from errand.errors import SettingsRefused

EXAMPLES: Final = "examples."
"""What the paths of the plug-ins in this repository begin with."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A package named in EXAMPLES, and which of the two modules it has."""

    path: str
    has_service: bool
    has_routes: bool

    @property
    def name(self) -> str:
        """The last part of its path, which is its name in Swagger UI."""
        return self.path.rpartition(".")[2]

    @property
    def is_example(self) -> bool:
        """Whether it is one of the examples that come with Errand, and no plug-in of the deployment's own."""
        return self.path.startswith(EXAMPLES)

    def load(self, part: str) -> ModuleType:
        """Import its module `part`; raise SettingsRefused if the import fails in any way."""
        try:
            return import_module(f"{self.path}.{part}")
        except Exception as fault:
            raise not_imported(f"{self.path}.{part}", fault) from fault


def refusal(text: str) -> SettingsRefused:
    """Make the error for an entry of EXAMPLES."""
    return SettingsRefused(f"EXAMPLES: {text}.")


def not_imported(module: str, fault: Exception) -> SettingsRefused:
    """Make the error for a module that can't be imported."""
    return SettingsRefused(f"EXAMPLES: {module} can't be imported ({type(fault).__name__}: {fault}).", module=module)


def find(paths: Sequence[str]) -> list[Plugin]:
    """Find the packages without importing their modules; raise SettingsRefused if one is not a plug-in."""
    return [_find(path) for path in dict.fromkeys(paths)]


def _find(path: str) -> Plugin:
    if not all(step.isidentifier() for step in path.split(".")):
        raise refusal(f"{path!r} is not the dotted path of a package, such as examples.greeting")
    try:
        spec = find_spec(path)
        there = spec is not None and spec.submodule_search_locations is not None
        has_service, has_routes = (there and find_spec(f"{path}.{part}") is not None for part in ("service", "routes"))
    except ModuleNotFoundError:
        there = False
    except Exception as fault:
        raise not_imported(path, fault) from fault
    if not there:
        raise refusal(f"there is no package {path} here; it is searched for from the folder where this was started")
    if not (has_service or has_routes):
        raise refusal(f"{path} has neither service.py nor routes.py; a plug-in has at least one of them")
    return Plugin(path, has_service, has_routes)
