"""config/.env.example and errand/settings.py tell the same: every setting, and its default."""

import re

import pytest
from pydantic import TypeAdapter

from errand.settings import Settings
from tests.rules.tree import ROOT, text

EXAMPLE = text(ROOT / "config" / ".env.example")
SHOWN = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
COMPOSE_ONLY = {"RABBITMQ_USER", "RABBITMQ_PASSWORD"}


def test_the_example_names_every_setting_and_nothing_else() -> None:
    assert set(SHOWN) - COMPOSE_ONLY == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_example_shows_the_default(name: str) -> None:
    field = Settings.model_fields[name]

    shown = TypeAdapter(field.annotation).validate_python(SHOWN[name.upper()])

    assert shown == field.default


def test_every_setting_is_explained_above_itself() -> None:
    lines = EXAMPLE.splitlines()
    names = [number for number, line in enumerate(lines) if re.match(r"#[A-Z_]+=", line)]

    # a comment, or the setting that shares the comment with this one
    unexplained = [lines[number] for number in names if not lines[number - 1].startswith("#")]
    assert unexplained == ["#RABBITMQ_USER=errand"]  # the heading above it explains both


def test_a_copy_of_the_example_chooses_nothing() -> None:
    """`make run` brings a server along only for what is set nowhere, so the copy must set none."""
    assert [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")] == []
