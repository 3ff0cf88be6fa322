"""A schema's keys, and those of its examples, are in the order in which the model gives them."""

from pydantic import BaseModel, Field

from schemas.key_order import KeysAsGiven


class Answer(BaseModel):
    """An answer with a nested example."""

    zebra: int = Field(examples=[{"z": 1, "a": {"y": 2, "b": 3}}])
    ape: str = Field(description="second", default="b")

    model_config = {"json_schema_extra": {"examples": [{"zebra": 1, "ape": "b"}]}}


def test_examples_keep_the_order_of_their_keys():
    schema = Answer.model_json_schema(schema_generator=KeysAsGiven)

    assert list(schema["properties"]) == ["zebra", "ape"]
    assert list(schema["examples"][0]) == ["zebra", "ape"]
    assert list(schema["properties"]["zebra"]["examples"][0]) == ["z", "a"]
    assert list(schema["properties"]["zebra"]["examples"][0]["a"]) == ["y", "b"]


def test_only_the_order_differs_from_what_pydantic_makes():
    assert Answer.model_json_schema(schema_generator=KeysAsGiven) == Answer.model_json_schema()
