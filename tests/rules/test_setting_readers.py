"""Each setting says which programs read it: the code agrees, and so does the table in docs/operations.md."""

import ast

import pytest

from errand.setting_readers import WORKERS, Program
from errand.settings import Settings
from tests.rules.setting_readers import SETTINGS, read_in_code, readers, settings_read_in
from tests.rules.tree import ROOT, syntax, text

PAGE = text(ROOT / "docs" / "operations.md")


@pytest.mark.parametrize("program", Program)
def test_a_setting_names_exactly_the_programs_whose_code_reads_it(program: Program) -> None:
    read = read_in_code(program)

    named = {field for field, programs in readers().items() if program in programs}
    assert named - read.keys() == set(), f"{program} doesn't read them"
    assert read.keys() - named == set(), f"{program} reads them, but their `read_by` doesn't say so: {read}"


def test_a_read_is_found_however_the_settings_are_reached() -> None:
    code = "def f(self, errand):\n    return self._settings.port, settings_of(self).heartbeat, errand.settings.base_url"

    assert settings_read_in(ast.parse(code)) == {"port", "heartbeat", "public_url", "host"}


def test_every_setting_has_a_sentence() -> None:
    settings = next(node for node in syntax(SETTINGS).body if isinstance(node, ast.ClassDef))
    explained = {
        field.target.id
        for field, text_after in zip(settings.body, settings.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text_after, ast.Expr)
    }

    assert explained == Settings.model_fields.keys()


def test_the_docs_say_which_program_reads_which_setting() -> None:
    rows: dict[str, list[str]] = {}
    for field, programs in readers().items():
        rows.setdefault(shown(programs), []).append(f"`{field.upper()}`")

    for programs, settings in rows.items():
        assert f"| {programs} | {' '.join(settings)} |" in PAGE


def shown(programs: frozenset[Program]) -> str:
    """Write programs as the table does: the four services of workers, if all of them read it, as one word."""
    if programs >= set(WORKERS):
        return ", ".join(each for each in ("api", "workers", "run") if each == "workers" or each in programs)
    return ", ".join(each for each in Program if each in programs)
