"""Warns at the start of names in `.env` or the environment that look like a setting of Errand and are none."""

import os
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from dotenv import dotenv_values

from errand.settings import Settings

NOT_OURS: Final = ("COMPOSE_", "DOCKER_", "RABBITMQ_", "PYTHON")
"""Beginnings of names in `.env` that other programs read: docker compose, its RabbitMQ, Python."""
ALIKE: Final = 0.75
"""Similarity, from 0 to 1, from which a name in `.env` is taken for a mistyped setting."""
NEARLY_THE_SAME: Final = 0.9
"""The same for a name in the environment, where most names belong to other programs."""


def warn_of_unknown_names() -> None:
    """Write a line on stderr for each name that is not a setting. The start goes on: a plug-in may read it."""
    for sentence in unknown_names():
        sys.stderr.write(f"errand: {sentence}\n")


def unknown_names() -> list[str]:
    """Return a sentence for each unknown name in `.env`, and for each in the environment that nearly is a setting."""
    known = [name.upper() for name in Settings.model_fields]
    in_file = {name.upper() for name in dotenv_values(".env")}
    others = {name.upper() for name in os.environ} - in_file
    sentences = [_sentence(f".env: {name}", _nearest(name, known, ALIKE)) for name in _foreign(in_file, known)]
    mistyped = ((name, _nearest(name, known, NEARLY_THE_SAME)) for name in _foreign(others, known))
    return sentences + [_sentence(name, near) for name, near in mistyped if near]


def _foreign(names: Iterable[str], known: list[str]) -> list[str]:
    return sorted(name for name in names if name not in known and not name.startswith(NOT_OURS))


def _nearest(name: str, known: list[str], similarity: float) -> str:
    return next(iter(get_close_matches(name, known, 1, similarity)), "")


def _sentence(name: str, near: str) -> str:
    hint = f"did you mean {near}?" if near else "it does nothing, unless a plug-in reads it"
    return f"{name} is not a setting of Errand; {hint}"
