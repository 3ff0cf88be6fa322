"""What the rules look at: the files of the tree, their syntax trees and their comments."""

import ast
import io
import os
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PRODUCT = ("api", "errand", "schemas", "workers")
"""The packages of the product."""

WRITTEN = (*PRODUCT, "bench", "chaos", "config", "deploy", "docs", "examples", "soak", "tests")
"""Folders with files that people write; what stands beside them in a checkout is caches and the like."""


def files(*folders: str, suffix: str = "") -> list[Path]:
    """List the files below the folders (default: all that people write, and those at the root), in order."""
    found = [path for folder in folders or WRITTEN for path in (ROOT / folder).rglob(f"*{suffix}") if path.is_file()]
    if not folders:
        found += [path for path in ROOT.glob(f"*{suffix}") if path.is_file() and path.name != ".env"]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def sources(*folders: str) -> list[Path]:
    """List the Python files below the folders (default: the product's packages)."""
    return files(*(folders or PRODUCT), suffix=".py")


def name(path: Path) -> str:
    """Name a file as one would from the root of the tree."""
    return path.relative_to(ROOT).as_posix()


def text(path: Path) -> str:
    """Read a text file."""
    return path.read_text(encoding="utf-8")


@cache
def syntax(path: Path) -> ast.Module:
    """Parse a Python file."""
    return ast.parse(text(path), filename=str(path))


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Give the comments of a Python file with their lines."""
    for token in tokenize.generate_tokens(io.StringIO(text(path)).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def imports(path: Path) -> set[str]:
    """Give the top-level names of everything a Python file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def missing(what: str) -> None:
    """Skip on a laptop, fail where CI=true: a rule that nobody can check is no rule."""
    reason = f"{what} is not installed; pip install -e '.[dev]' brings it"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
