"""Registers the routes of plug-ins. Refuses routes that clash with others.

Next: `extending.py`, from which plug-ins build their routes.
"""

import re
from typing import Any, Final

from flask import Blueprint, Flask
from werkzeug.routing import Rule

from errand.plugins import Plugin, find, refusal
from errand.settings import Settings

EXTENSION: Final = "errand.plugins"
"""Key in `app.extensions`: for each plug-in its tag in the API document, and the rules that get this tag."""
IS_EXAMPLE: Final = "x-example"
"""Mark of the tags of examples: `api/docs/example_routes.py` leaves their routes out unless asked for."""

ARGUMENT: Final = re.compile(r"<(?:[^<>:]+:)?([^<>:]+)>")


def register(app: Flask, settings: Settings) -> None:
    """Register the blueprints of all plug-ins with `app`; raise SettingsRefused."""
    app.extensions[EXTENSION] = []
    for plugin in find(settings.plugin_paths):
        if plugin.has_routes:
            _register(app, plugin)


def describe(document: dict[str, Any], app: Flask) -> None:
    """Group the routes of each plug-in in the API document under a tag of its own."""
    groups = sorted(app.extensions.get(EXTENSION, ()), key=lambda group: IS_EXAMPLE in group[0])  # examples last
    for tag, rules in groups:
        document["tags"].append(tag)
        for path, method in requests_of(rules):
            if operation := document["paths"].get(path, {}).get(method):
                operation["tags"] = [tag["name"]]
                if "description" in operation:
                    operation["description"] = " ".join(operation["description"].split())


def _register(app: Flask, plugin: Plugin) -> None:
    module = plugin.load("routes")
    blueprints = [each for each in vars(module).values() if isinstance(each, Blueprint)]
    if not blueprints:
        raise refusal(f"{module.__name__} has no flask.Blueprint")
    before = list(app.url_map.iter_rules())
    taken = {(rule.rule, method) for rule in before for method in rule.methods or ()}
    for blueprint in blueprints:
        try:
            app.register_blueprint(blueprint)
        except (ValueError, AssertionError) as fault:
            raise refusal(f"the routes of {module.__name__} can't be added ({fault})") from None
    added = [rule for rule in app.url_map.iter_rules() if all(rule is not other for other in before)]
    for rule in added:
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            if (rule.rule, method) in taken:
                raise refusal(
                    f"{module.__name__} answers {method} {rule.rule}, which another blueprint answers already"
                )
    app.extensions[EXTENSION].append((_tag(plugin, module.__doc__), added))


def _tag(plugin: Plugin, docstring: str | None) -> dict[str, Any]:
    """Describe the plug-in's group in the document by the first paragraph of its module's docstring."""
    description = " ".join((docstring or plugin.path).split("\n\n")[0].split())
    return {"name": plugin.path, "description": description, **({IS_EXAMPLE: True} if plugin.is_example else {})}


def requests_of(rules: list[Rule]) -> set[tuple[str, str]]:
    """Return path and method of each rule as the document writes them."""
    return {
        (path_of(rule), method.lower()) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def path_of(rule: Rule) -> str:
    """Write the path of a rule as the API document does."""
    return ARGUMENT.sub(r"{\1}", rule.rule)
