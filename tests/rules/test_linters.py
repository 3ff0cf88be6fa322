"""The linters of everything that is not Python run clean."""

import subprocess
import sys
from pathlib import Path

from tests.rules.tree import ROOT, files, missing, name


def run_clean(tool: str, *arguments: str) -> None:
    """Run a linter of this environment over the tree, and fail with what it says."""
    binary = Path(sys.executable).with_name(tool)
    if not binary.exists():
        missing(tool)
    run = subprocess.run([binary, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_hadolint_finds_nothing_in_the_dockerfiles() -> None:
    dockerfiles = [name(path) for path in files("deploy", suffix="Dockerfile")]

    assert len(dockerfiles) >= 2
    run_clean("hadolint", "--config", ".hadolint.yaml", *dockerfiles)


def test_yamllint_finds_nothing_in_the_yaml_files() -> None:
    run_clean("yamllint", "--strict", ".")
