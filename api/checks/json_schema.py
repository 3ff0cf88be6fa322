"""Compiles JSON Schemas (2020-12) into validators that take linear time and never fetch anything.

Next: `schema_faults.py`, which finds what does not fit.
"""

from typing import Any, Final

from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError, Validator

from api.http.body import pointer

Schema = dict[str, Any]

UNASSERTED: Final = (
    *("date-time", "time", "duration", "hostname", "uri", "uri-reference", "uri-template", "iri", "iri-reference"),
    *("json-pointer", "relative-json-pointer"),
)
"""Formats that only describe: operations accept more, such as a `datetime` without a time zone."""
OPTIONS: Final[dict[str, Any]] = {
    "validate_formats": True,
    "formats": {
        **dict.fromkeys(UNASSERTED, lambda _: True),
        **dict.fromkeys(("email", "idn-email"), lambda text: "@" in text),  # addresses in any script
    },
    "offline": True,  # a `$ref` to another host is an error, never a request
    "pattern_options": RegexOptions(),  # the engine that never backtracks
}
REGEX: Final = "patterns are matched in linear time: no lookahead, lookbehind or backreference, nor over 10 MB compiled"


def compiled(schema: Schema) -> Validator:
    """Compile a schema; raise ValueError with a sentence that says why it can't be used."""
    try:
        return Draft202012Validator(schema, **OPTIONS)
    except ValidationError as fault:
        reason = f"{fault.message} ({REGEX})" if fault.kind.as_dict() == {"format": "regex"} else fault.message
        raise ValueError(f"its JSON Schema can't be used: {reason}, at #{pointer(*fault.instance_path)}") from None
