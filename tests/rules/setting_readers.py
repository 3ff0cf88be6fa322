"""Which programs read which setting: as `errand/settings.py` says, and as the code of each program does."""

import ast
from functools import cache
from pathlib import Path

from errand.setting_readers import Program, ReadBy
from errand.settings import Settings
from tests.rules.tree import ROOT, name, sources, syntax

SETTINGS = ROOT / "errand" / "settings.py"

ROOTS: dict[Program, tuple[str, ...]] = {
    Program.API: ("api.__main__", "api.serving.wsgi"),  # granian loads the second by its name
    Program.COMPUTE: (
        "workers.__main__",
        "workers.compute.service",  # `workers.runner` loads services by their names
        "workers.compute.child.__main__",
        "workers.plugins.loader",
        "workers.extending",  # what plug-ins import
    ),
    Program.MAIL: ("workers.__main__", "workers.mail.service"),
    Program.WEBHOOKS: ("workers.__main__", "workers.webhooks.service"),
    Program.RESCUER: ("workers.__main__", "workers.rescuer.service"),
    Program.RUN: ("errand.embedded.run",),
}
"""The modules that each program starts from."""


def readers() -> dict[str, frozenset[Program]]:
    """Return the programs that read each setting, as the settings say."""
    found = {}
    for field, info in Settings.model_fields.items():
        [said] = [each for each in info.metadata if isinstance(each, ReadBy)]
        found[field] = said.programs
    return found


def read_in_code(program: Program) -> dict[str, set[str]]:
    """Return the settings that a program's modules read, each with the names of those modules."""
    found: dict[str, set[str]] = {}
    for module in _reachable(ROOTS[program]) - {"errand.settings"}:
        for field in settings_read_in(syntax(_modules()[module])):
            found.setdefault(field, set()).add(module)
    return found


def settings_read_in(tree: ast.AST) -> set[str]:
    """Return the settings read in some code: `settings.port`, `self._settings.port`, and the like."""
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    reads = {node.attr for node in attributes if "settings" in ast.unparse(node.value)}
    behind = [_properties()[each] for each in reads & _properties().keys()]
    return (reads & Settings.model_fields.keys()).union(*behind)


@cache
def _properties() -> dict[str, set[str]]:
    """Return the settings behind each property of Settings: `base_url` reads `public_url`, `host` and `port`."""
    found = {}
    for node in ast.walk(syntax(SETTINGS)):
        if isinstance(node, ast.FunctionDef) and any(isinstance(each, ast.Name) for each in node.decorator_list):
            attributes = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            found[node.name] = attributes & Settings.model_fields.keys()
    return found


@cache
def _modules() -> dict[str, Path]:
    """Return the product's files by the names of their modules."""
    return {name(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__"): path for path in sources()}


def _reachable(roots: tuple[str, ...]) -> set[str]:
    """Return the modules that these import, directly or not."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _imported(module)
    return found


def _imported(module: str) -> set[str]:
    """Return the product's modules that a module imports, with the packages they are in."""
    named: set[str] = set()
    for node in ast.walk(syntax(_modules()[module])):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = [dotted.split(".") for dotted in named]
    return {".".join(each[:length]) for each in parts for length in range(1, len(each) + 1)} & _modules().keys()
