"""Lets JSON Schemas keep their keys in the order in which the models give them.

pydantic sorts the keys of a schema by the alphabet, and with them those of its examples, where `id` and `result` then
come after `attempt` and `created_at`.
"""

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue


class KeysAsGiven(GenerateJsonSchema):
    """Makes JSON Schemas whose keys, and those of their examples, are in the order of the model."""

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        """Return the schema as it is."""
        return value
