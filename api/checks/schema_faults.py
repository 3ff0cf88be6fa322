"""Finds the parts of a value that do not fit a JSON Schema, and says in a sentence what each must be.

jsonschema-rs gives every verdict; the search is our own, and lazy. The library collects all errors at once, each with
a copy of its value: a hostile body of 1 MB took it seconds and gigabytes.
"""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

from jsonschema_rs import Validator, validator_map_for

from api.checks.json_schema import OPTIONS, Schema, compiled
from api.checks.pydantic_faults import counted, pydantic_faults
from api.http.body import MOST_CHARACTERS, pointer
from api.http.json_text import Path
from schemas.arguments.verdict import KEYWORD
from schemas.problems import Fault

SENTENCES: Final[dict[str, Callable[[Any], str]]] = {
    "type": lambda types: f"must be of type {types if isinstance(types, str) else ' or '.join(types)}",
    "enum": lambda values: f"must be one of {_short(values)}",
    "const": lambda value: f"must be {_short(value)}",
    "minimum": lambda least: f"must be at least {_number(least)}",
    "maximum": lambda most: f"must be at most {_number(most)}",
    "exclusiveMinimum": lambda bound: f"must be more than {_number(bound)}",
    "exclusiveMaximum": lambda bound: f"must be less than {_number(bound)}",
    "multipleOf": lambda step: f"must be a multiple of {step}",
    "minLength": lambda least: f"must have at least {counted(least, 'character')}",
    "maxLength": lambda most: f"must have at most {counted(most, 'character')}",
    "pattern": lambda regex: f"must match {_short(regex)}",
    "format": lambda name: f"must be a valid {name}",
    "minItems": lambda least: f"must have at least {counted(least, 'item')}",
    "maxItems": lambda most: f"must have at most {counted(most, 'item')}",
    "uniqueItems": lambda _: "must not have an item twice",
    "minProperties": lambda least: f"must have at least {counted(least, 'field')}",
    "maxProperties": lambda most: f"must have at most {counted(most, 'field')}",
    "anyOf": lambda _: "fits none of the forms it may have",
    "oneOf": lambda _: "must fit exactly one of the forms it may have",
}
"""Keyword of JSON Schema to the sentence that says what to do. The library's own sentences repeat the whole value."""
BELOW: Final = frozenset({"properties", "patternProperties", "additionalProperties", "prefixItems", "items"})
"""Keywords that apply a schema to parts of the value; a fault there is shown with its own pointer."""
HERE: Final = frozenset({"$ref", "allOf", "if"})
"""Keywords that apply another schema to the value itself; its own sentence is shown."""
NOT_ALONE: Final = frozenset(
    {"then", "else", "minContains", "maxContains", "unevaluatedItems", "unevaluatedProperties", "$dynamicRef"}
)
"""Keywords that mean nothing without other keywords."""

MOST_DIGITS: Final = 40
"""Maximum digits that a sentence shows of a bound."""

Step = tuple[Path, Any, Path]
"""Path of a part of the schema, the value to check against it, and the path to that value."""


class FaultFinder:
    """Finds what is wrong with values by one schema, which `compiled` accepts. Threads may share it."""

    def __init__(self, schema: Schema) -> None:
        """Compile every part of the schema, which is an `asserted` one."""
        self._schema = schema
        self._parts = validator_map_for(schema, **OPTIONS)
        self._keywords: dict[Path, Validator] = {}

    def faults(self, value: Any, at: Path, part: Path = ()) -> Iterator[Fault]:
        """Yield what is wrong with `value`, lazily; nothing if it fits.

        `at`: path of the value in the body; `part`: path in the schema of the part that it must fit. Raises
        RecursionError for a very deep value.
        """
        if self._fits(part, value):
            return
        schema, found = self._part(part), False
        for keyword in schema or ():
            for fault in self._keyword_faults(schema, (*part, keyword), value, at):
                found = True
                yield fault
        if not found:
            detail = "is not allowed" if schema is False else "does not fit the operation's schema"
            yield Fault(pointer=pointer(*at), detail=detail)

    def _keyword_faults(self, schema: Schema, part: Path, value: Any, at: Path) -> Iterator[Fault]:
        """Yield what is wrong by one keyword of `schema`, the last step of `part`."""
        keyword = str(part[-1])
        match keyword, schema[keyword]:
            case "required", names if isinstance(value, dict):
                missing = (name for name in names if name not in value)
                yield from (Fault(pointer=pointer(*at, name), detail="is missing; it is required") for name in missing)
            case "additionalProperties", False if isinstance(value, dict):
                detail = f"is not a known field; known fields are {', '.join(schema.get('properties', ())) or 'none'}"
                yield from (Fault(pointer=pointer(*at, name), detail=detail) for name in _additional(schema, value))
            case str(), pydantic_schema if keyword == KEYWORD:
                yield from pydantic_faults(pydantic_schema, value, at)
            case "anyOf" | "oneOf", _:
                yield from self._form_faults(schema, part, value, at)
            case name, _ if name in BELOW or name in HERE:
                steps = _below(schema, part, value) if name in BELOW else self._here(schema, part, value)
                for inner, child, way in steps:
                    yield from self.faults(child, (*at, *way), inner)
            case name, constraint if name not in NOT_ALONE and not self._keyword_fits(schema, part, value):
                sentence = SENTENCES.get(name, lambda _: f"does not fit the operation's schema ({name})")
                yield Fault(pointer=pointer(*at), detail=sentence(constraint))

    def _form_faults(self, schema: Schema, part: Path, value: Any, at: Path) -> Iterator[Fault]:
        """Yield what is wrong with a value that may have several forms: by the form that it means, if that is plain."""
        if self._keyword_fits(schema, part, value):
            return
        forms = schema[str(part[-1])]
        match schema, value:
            case {"anyOf": [_, {"type": "null"}]}, _:
                yield from self.faults(value, at, (*part, 0))
            case {"discriminator": {"propertyName": str(tag), "mapping": dict(mapping)}}, dict():
                meant = [
                    index for index, form in enumerate(forms) if form == {"$ref": mapping.get(str(value.get(tag)))}
                ]
                for index in meant:
                    yield from self.faults(value, at, (*part, index))
                if not meant:
                    detail = SENTENCES["enum"](list(mapping)) if tag in value else "is missing; it is required"
                    yield Fault(pointer=pointer(*at, tag), detail=detail)
            case _:
                yield Fault(pointer=pointer(*at), detail=SENTENCES[str(part[-1])](forms))

    def _here(self, schema: Schema, part: Path, value: Any) -> Iterator[Step]:
        """Yield the schemas that a keyword applies to the value itself."""
        match part[-1]:
            case "$ref" if (target := _path(schema["$ref"])) is not None and _key(target) in self._parts:
                yield target, value, ()
            case "allOf":
                yield from (((*part, index), value, ()) for index in range(len(schema["allOf"])))
            case "if" if (branch := "then" if self._fits(part, value) else "else") in schema:
                yield (*part[:-1], branch), value, ()

    def _fits(self, part: Path, value: Any) -> bool:
        return self._parts[_key(part)].is_valid(value)

    def _part(self, part: Path) -> Any:
        found: Any = self._schema
        for step in part:
            found = found[int(step) if isinstance(found, list) else step]
        return found

    def _keyword_fits(self, schema: Schema, part: Path, value: Any) -> bool:
        """Return whether the value fits one keyword of a schema, without its other keywords."""
        if part not in self._keywords:
            names = (str(part[-1]), "minContains", "maxContains")
            alone = {name: schema[name] for name in names if name in schema}
            try:
                self._keywords[part] = compiled({"$defs": self._schema.get("$defs", {}), **alone})
            except ValueError:  # it refers to a schema outside the definitions
                self._keywords[part] = compiled({})
        return self._keywords[part].is_valid(value)


def _below(schema: Schema, part: Path, value: Any) -> Iterator[Step]:
    """Yield the schemas that a keyword applies to the fields of an object or the items of a list."""
    keyword = str(part[-1])
    match keyword, schema[keyword], value:
        case "properties", parts, dict():
            yield from (((*part, name), value[name], (name,)) for name in parts if name in value)
        case "patternProperties", patterns, dict():
            found = ((pattern, name) for pattern in patterns for name in value if _matches(pattern, name))
            yield from (((*part, pattern), value[name], (name,)) for pattern, name in found)
        case "additionalProperties", _, dict():
            yield from ((part, value[name], (name,)) for name in _additional(schema, value))
        case "prefixItems", parts, list():
            yield from (((*part, index), item, (index,)) for index, item in enumerate(value[: len(parts)]))
        case "items", _, list():
            first = len(schema.get("prefixItems", ()))
            yield from ((part, item, (index,)) for index, item in enumerate(value[first:], first))


def _additional(schema: Schema, value: dict[str, Any]) -> Iterator[str]:
    """Return the fields to which `additionalProperties` applies."""
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", ())
    return (name for name in value if name not in known and not any(_matches(pattern, name) for pattern in patterns))


def _matches(pattern: str, name: str) -> bool:
    return _compiled_pattern(pattern).is_valid(name)


@lru_cache(maxsize=256)
def _compiled_pattern(pattern: str) -> Validator:
    return compiled({"pattern": pattern})


@lru_cache(maxsize=4_096)
def _key(part: Path) -> str:
    """Write a path in a schema as the library does."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in part)


def _path(reference: str) -> Path | None:
    """Read a reference within the same schema; None for any other."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    steps = unquote(reference).split("/")[1:]
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def _number(value: float) -> str:
    """Write a bound; a whole number too large for anyone to read as a power of ten."""
    return f"{Decimal(value):.17g}" if isinstance(value, int) and abs(value) >= 10**MOST_DIGITS else str(value)


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)[:MOST_CHARACTERS]
