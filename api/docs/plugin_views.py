"""Finds the views of plug-ins and reads how they describe themselves, more strictly than flasgger does.

Next: `plugin_check.py`, which says what is wrong with a description.
"""

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from flask import Flask

from api.plugins import EXTENSION, path_of
from errand.plugins import refusal


@dataclass(frozen=True, slots=True)
class PluginView:
    """A method of a plug-in's route, and the function that answers it."""

    path: str
    """The path, as the document writes it: `/weather/{place}`."""
    method: str
    arguments: frozenset[str]
    function: Callable[..., Any]

    @property
    def place(self) -> str:
        """Where the function is, for people: its file and its name."""
        function = inspect.unwrap(self.function)
        file = Path(inspect.getsourcefile(function) or "?")
        if file.is_relative_to(Path.cwd()):
            file = file.relative_to(Path.cwd())
        return f"{file}, {function.__qualname__} ({self.method.upper()} {self.path})"

    def description(self) -> Any:
        """Return its description in OpenAPI's terms; None if flasgger finds it in a file, or not at all.

        Raises SettingsRefused if it can't be read, or JSON can't write it.
        """
        description = getattr(self.function, "specs_dict", None)
        if description is None:
            _, line, text = (inspect.getdoc(self.function) or "").partition("---")
            description = self._parsed(text) if line else None
        try:
            json.dumps(description, allow_nan=False)
        except (TypeError, ValueError) as fault:
            hint = "; put quotes around it" if "date" in str(fault) else ""
            raise refusal(f"{self.place}: its description can't be written as JSON ({fault}){hint}") from None
        return description

    def _parsed(self, text: str) -> Any:
        try:
            return yaml.load(text, Loader=StrictLoader)  # noqa: S506 -- a subclass of SafeLoader
        except yaml.YAMLError as fault:
            problem = " ".join(str(fault).split())
            raise refusal(f"{self.place}: the part of its docstring below --- is not valid YAML ({problem})") from None


class StrictLoader(yaml.SafeLoader):
    """Reads YAML, and refuses a key that an object has twice: of two answers with one status, only one would stay."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the object; raise yaml.YAMLError if a key stands there twice."""
        names = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        if repeated := [name for name in names if names.count(name) > 1]:
            raise yaml.constructor.ConstructorError(None, None, f"{repeated[0]} stands there twice", node.start_mark)
        return super().construct_mapping(node, deep)


def plugin_views(app: Flask) -> Iterator[PluginView]:
    """Yield every method of every route of the plug-ins, but for static files."""
    for _, rules in app.extensions.get(EXTENSION, ()):
        for rule in rules:
            view: Any = app.view_functions[rule.endpoint]
            if rule.endpoint.endswith(".static"):
                continue
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                function = getattr(getattr(view, "view_class", None), method.lower(), view)
                yield PluginView(path_of(rule), method.lower(), frozenset(rule.arguments), function)
