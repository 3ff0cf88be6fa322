"""The first `make run` on a machine that lacks something: a sentence says what, and nothing is left half made."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.processes import ROOT

NEEDED = ("Makefile", "pyproject.toml", "README.md", "deploy", "config")
TOOLS = ("sh", "make", "awk", "ls", "id", "dirname", "mktemp", "grep", "tail", "rm", "cat", "touch")
NOBODY = 65534


class Machine:
    """A clone, and a PATH with the usual tools and the Pythons that a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.bin = folder / "clone", folder / "bin"
        self.bin.mkdir()
        self.clone.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)
        for name in NEEDED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            copy(ROOT / name, self.clone / name)

    def python(self, name: str, code: str = "", **modules: str) -> Path:
        """Add this Python as `name`: it runs `code` at its start, and these modules hide those of the same names."""
        folder = self.bin / f"{name}.d"
        folder.mkdir()
        for module, source in {"sitecustomize": code, **modules}.items():
            (folder / f"{module}.py").write_text(source)
        path = self.bin / name
        path.write_text(f'#!/bin/sh\nPYTHONPATH={folder} exec {sys.executable} "$@"\n')
        path.chmod(0o755)
        return path

    def make(self, *arguments: str, user: int | None = None, **env: str) -> str:
        """Run `make`, which must fail; return what it prints."""
        done = subprocess.run(
            ["make", *arguments],
            cwd=self.clone,
            env={"PATH": str(self.bin), "HOME": "/nonexistent", "PIP_CONFIG_FILE": os.devnull, **env},
            user=user,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2
        return done.stdout + done.stderr


@pytest.fixture
def machine() -> Iterator[Machine]:
    with TemporaryDirectory() as folder:  # pytest's own folders are closed to other users
        Path(folder).chmod(0o755)
        yield Machine(Path(folder))


def test_without_any_python_it_says_what_to_install(machine):
    printed = machine.make("run")

    assert "Python 3.11, 3.12, 3.13 or 3.14 is required; found: no Python at all" in printed
    assert "sudo apt-get install python3 python3-venv" in printed
    assert "brew install" in printed
    assert not (machine.clone / ".venv").exists()


@pytest.mark.parametrize("version", ["3.9.18", "3.10.13", "3.15.0"])
def test_a_python_that_does_not_fit_is_named_with_its_version(machine, version):
    machine.python("python3", f"import sys\nsys.version_info = {tuple(map(int, version.split('.')))}")

    assert f"found: python3 ({version})" in machine.make("run")
    assert f"PYTHON=python3 is Python {version}, and Errand needs 3.11 to 3.14" in machine.make("PYTHON=python3", "run")


def test_an_interpreter_that_is_not_there_is_named(machine):
    assert "PYTHON=/opt/python can't be started" in machine.make("PYTHON=/opt/python", "run")


def test_a_python_without_venv_is_passed_over_or_named_with_its_package(machine):
    package = "python{}.{}-venv".format(*sys.version_info)
    machine.python("python3", ensurepip="raise ImportError('no ensurepip')")

    printed = machine.make("run")

    assert f"python3 can't make virtual environments; on Debian or Ubuntu: sudo apt-get install {package}" in printed
    assert not (machine.clone / ".venv").exists()

    machine.python("python", venv="raise SystemExit('the other one was taken')")
    assert "the other one was taken" in machine.make("run")


@pytest.mark.parametrize("folder", [".", ".venv"])
def test_a_folder_of_another_user_is_named_with_its_owner(machine, folder):
    (machine.clone / folder).mkdir(exist_ok=True)
    (machine.clone / folder).chmod(0o555)  # a superuser may still write there

    printed = machine.make("run", user=NOBODY if os.geteuid() == 0 else None)

    assert f"errand: {machine.clone / folder}".removesuffix("/.") in printed
    assert "can't write to it" in printed
    assert "sudo chown -R" in printed
    assert "Traceback" not in printed


def test_without_a_network_it_says_so_and_the_next_try_begins_anew(machine):
    machine.python("python3")

    printed = machine.make("run", PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_RETRIES="1")

    assert "errand: pip can't reach the package index" in printed
    assert "Connection refused" in printed
    assert "PIP_PROXY=" in printed
    assert not list((machine.clone / ".venv").glob(".installed*"))


def test_a_venv_whose_python_is_gone_is_made_anew(machine):
    python = machine.python("python3", venv="raise SystemExit('made anew')")
    (machine.clone / ".venv" / "bin").mkdir(parents=True)
    (machine.clone / ".venv" / "bin" / "python").symlink_to("/usr/bin/python3.0")
    for stamp in ("run", "dev"):
        (machine.clone / ".venv" / f".installed-{stamp}").touch()

    printed = machine.make("run")

    assert python.exists()
    assert "made anew" in printed
    assert not list((machine.clone / ".venv").glob(".installed*"))
