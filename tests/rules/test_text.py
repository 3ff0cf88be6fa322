"""How files are written: short modules that say what they are, exceptions from rules with their reason, no waiting."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rules.tree import ROOT, WRITTEN, comments, files, name, sources, syntax, text

LONGEST = 300
"""Lines a module may have."""

EXCUSE = re.compile(r"#\s*(?:type: ignore\[[\w\-, ]+\]|noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*)[\s#\-]*(?P<reason>.*)")
"""A rule set aside: which one, then why."""

SET_ASIDE = re.compile(r"#\s*(?:type:\s*ignore|noqa)", re.IGNORECASE)
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
INDEX = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host|https?://[^\s\"']*(?:simple|pypi|packages)/?\b")


def text_files() -> Iterator[Path]:
    """Give every file people wrote that is text and no vendored asset."""
    for path in files():
        if "static" not in path.parts and path.suffix not in {".png", ".ico", ".gz", ".woff2", ".svg"}:
            yield path


@pytest.mark.parametrize("path", sources(), ids=name)
def test_a_module_says_what_it_is_and_stays_short(path: Path) -> None:
    lines = text(path).count("\n")

    assert ast.get_docstring(syntax(path)), "the module has no docstring"
    assert lines <= LONGEST, f"{lines} lines: split it"


def test_whoever_sets_a_rule_aside_says_why_on_the_same_line() -> None:
    silent = []
    for path in sources(*WRITTEN):
        for line, comment in comments(path):
            if SET_ASIDE.search(comment):
                excuse = EXCUSE.search(comment)
                if not excuse or len(excuse["reason"]) < 3:
                    silent.append(f"{name(path)}:{line} {comment}")

    assert silent == []


def test_whoever_skips_a_test_says_why() -> None:
    silent = []
    for path in sources("tests"):
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.Call) and is_named(node.func, "skip", "skipif", "xfail"):
                reasons = [each.value for each in node.keywords if each.arg in {"reason", "msg"}] or node.args[-1:]
                if not reasons or (isinstance(reasons[0], ast.Constant) and not reasons[0].value):
                    silent.append(f"{name(path)}:{node.lineno}")
            elif isinstance(node, ast.FunctionDef):
                silent += [f"{name(path)}:{each.lineno}" for each in node.decorator_list if is_named(each, "skip")]

    assert silent == []


def test_no_test_sleeps() -> None:
    sleepers = [
        f"{name(path)}:{node.lineno}"
        for path in sources("tests")
        if "support" not in path.parts  # where servers are made that are slow on purpose
        for node in ast.walk(syntax(path))
        if (isinstance(node, ast.Call) and is_named(node.func, "sleep"))
        or (isinstance(node, ast.ImportFrom) and any(alias.name == "sleep" for alias in node.names))
    ]

    assert sleepers == [], "wait for what is to happen, not for time to pass"


def test_nothing_is_left_unfinished() -> None:
    marks = [
        f"{name(path)}:{number}"
        for path in text_files()
        if path != Path(__file__)
        for number, line in enumerate(text(path).splitlines(), 1)
        if UNFINISHED.search(line)
    ]

    assert marks == []


def test_pins_and_builds_name_no_package_index() -> None:
    pins = files("config/constraints") + files("deploy")
    pins += [ROOT / each for each in ("Makefile", "pyproject.toml", ".ci/run") if (ROOT / each).exists()]

    assert [name(path) for path in pins if INDEX.search(text(path))] == []
    assert [name(path) for path in files("config/constraints") if "://" in text(path)] == []


def is_named(node: ast.expr, *wanted: str) -> bool:
    """Tell whether an expression is one of the names, or an attribute called so."""
    called = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return called in wanted
