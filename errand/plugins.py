"""Finds plug-ins by the dotted paths in EXAMPLES: packages with a `service` module, a `routes` module or both.

Stands before everything, where plug-ins are named at all. Workers load services by `workers/plugins/loader.py`, the
API routes by `api/plugins.py`; each side imports its own modules only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from errand.errors import SettingsRefused


@dataclass(frozen=True, slots=True)
class Plugin:
    """A package that EXAMPLES names, and which of the two modules it has."""

    path: str
    has_service: bool
    has_routes: bool

    @property
    def name(self) -> str:
        """Its last step: what it is called in Swagger UI."""
        return self.path.rpartition(".")[2]

    def load(self, part: str) -> ModuleType:
        """Import its module `part`; raise SettingsRefused when that fails, however it does."""
        try:
            return import_module(f"{self.path}.{part}")
        except Exception as fault:
            raise refusal(f"{self.path}.{part} can't be imported ({type(fault).__name__}: {fault})") from fault


def refusal(text: str) -> SettingsRefused:
    """Say what is wrong with what EXAMPLES names."""
    return SettingsRefused(f"EXAMPLES: {text}.")


def find(paths: Sequence[str]) -> list[Plugin]:
    """Look at the packages, and import none of their modules; raise SettingsRefused for what is no plug-in."""
    return [_find(path) for path in dict.fromkeys(paths)]


def _find(path: str) -> Plugin:
    if not all(step.isidentifier() for step in path.split(".")):
        raise refusal(f"{path!r} is no dotted path of a package, such as examples.greeting")
    try:
        spec = find_spec(path)
        there = spec is not None and spec.submodule_search_locations is not None
        has_service, has_routes = (there and find_spec(f"{path}.{part}") is not None for part in ("service", "routes"))
    except ModuleNotFoundError:
        there = False
    except Exception as fault:
        raise refusal(f"{path} can't be imported ({type(fault).__name__}: {fault})") from fault
    if not there:
        raise refusal(f"there is no package {path} here; it is looked for from the folder where this was started")
    if not (has_service or has_routes):
        raise refusal(f"{path} has neither service.py nor routes.py; a plug-in has at least one of them")
    return Plugin(path, has_service, has_routes)
