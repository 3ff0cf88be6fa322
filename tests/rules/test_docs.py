"""The documentation points only at what is there, and the life of a job can be read from its first file to its last."""

import ast
import re
from pathlib import Path

import pytest

from tests.rules.tree import ROOT, WRITTEN, files, name, sources, syntax, text

STORY = ROOT / "docs" / "life-of-a-job.md"

LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)(?:\s+\"[^\"]*\")?\)")
PATH = re.compile(r"`(?P<path>(?:[\w\-.]+/)*[\w\-.]+\.(?:py|lua|md|yml|yaml|toml|conf))`")
NAMED = re.compile(rf"`(?P<path>(?:{'|'.join(WRITTEN)})/[\w\-./]+\.\w+)`")
"""A file that a page names from the root of the tree."""
LONGEST_LINE = 120
"""Maximum characters in a line of prose."""
UNBREAKABLE = re.compile(r"\||\s*(?:[-*]\s+)?(?:!?\[[^\]]*\]\(\S+\)|\S+)[.,;:]?$")
"""A line that can't be broken: a row of a table, or a single link or word."""
INVENTED = {"workers/operations/words.py"}
"""Files that a page has its reader write."""
NEXT = re.compile(r"Next:\s+`(?P<path>[\w\-./]+)`")


def pages() -> list[Path]:
    """List every page of Markdown."""
    return files(suffix=".md")


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as they are made where Markdown is shown."""
    headings = re.findall(r"^#+\s+(.+?)\s*#*$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each).strip().lower().replace(" ", "-") for each in headings}


def without_code(page: str) -> str:
    """Blank the blocks of code in a page, and keep its line numbers."""
    return re.sub(r"^ *```.*?^ *```", lambda block: "\n" * block[0].count("\n"), page, flags=re.DOTALL | re.MULTILINE)


def successor(path: Path) -> str | None:
    """Give the file that a module's docstring names as the next to read, as it is written there."""
    found = NEXT.search(ast.get_docstring(syntax(path)) or "")
    return found["path"] if found else None


def resolved(written: str, reader: Path) -> Path | None:
    """Find a file named in a module: beside it, below its package, or from the root."""
    bases = [reader.parent, ROOT / reader.relative_to(ROOT).parts[0], ROOT]
    return next((base / written for base in bases if (base / written).is_file()), None)


def story() -> list[Path]:
    """Return the Python files of the life of a job in the order in which its steps name them first."""
    steps, _, ways = text(STORY).partition("## Three ways")  # the ways name the same files again, each in its own order
    assert ways, "the page ends with the ways of an id, of arguments and of an address"
    paths = [found["path"] for found in PATH.finditer(steps)]
    return [ROOT / path for path in dict.fromkeys(paths) if path.endswith(".py") and (ROOT / path).is_file()]


@pytest.mark.parametrize("page", pages(), ids=name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    for found in LINK.finditer(without_code(text(page))):
        target, _, anchor = found["target"].partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        goal = page.parent / target if target else page
        assert goal.exists(), f"{found[0]} leads nowhere"
        if anchor and goal.suffix == ".md":
            assert anchor in anchors(goal), f"{found[0]}: no such heading"


@pytest.mark.parametrize("page", pages(), ids=name)
def test_a_line_of_a_page_has_at_most_120_characters(page: Path) -> None:
    long = [
        f"{name(page)}:{number} has {len(line)} characters"
        for number, line in enumerate(without_code(text(page)).splitlines(), 1)
        if len(line) > LONGEST_LINE and not UNBREAKABLE.match(line)
    ]

    assert long == []


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_file_that_a_page_names_from_the_root_is_there(page: Path) -> None:
    named = {found["path"] for found in NAMED.finditer(without_code(text(page)))} - INVENTED

    assert sorted(path for path in named if not (ROOT / path).is_file()) == []


def test_every_file_that_the_life_of_a_job_names_is_there() -> None:
    named = {found["path"] for found in PATH.finditer(text(STORY))}

    assert named, "name each file as `folder/file.py`"
    assert sorted(path for path in named if not (ROOT / path).is_file()) == []


def test_the_life_of_a_job_names_files_in_the_order_in_which_they_name_each_other() -> None:
    order = story()

    backwards = []
    for place, path in enumerate(order):
        written = successor(path)
        after = written and resolved(written, path)
        if after in order and order.index(after) < place:
            backwards.append(f"{name(path)} says Next: {written}, which the page names earlier")

    assert backwards == []


def test_every_test_that_a_page_names_is_there() -> None:
    promised = {(found, name(page)) for page in pages() for found in re.findall(r"`(test_\w+)`", text(page))}

    written = {
        node.name for path in sources("tests") for node in ast.walk(syntax(path)) if isinstance(node, ast.FunctionDef)
    }
    assert sorted((found, page) for found, page in promised if found not in written) == []


@pytest.mark.parametrize("path", sources(), ids=name)
def test_the_file_that_a_module_names_as_the_next_is_there(path: Path) -> None:
    written = successor(path)

    assert written is None or resolved(written, path), f"Next: {written} is not there"


def test_every_decision_gives_its_context_the_decision_and_its_consequences() -> None:
    decisions = files("docs/decisions", suffix=".md")

    numbers = [path.name[:4] for path in decisions]
    assert numbers == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        assert {"context", "decision", "consequences"} <= anchors(path), name(path)
