"""Processes of libraries are forked on every Python."""

import multiprocessing
import sys

import pytest

from errand.process.start_method import fork_processes


@pytest.mark.skipif(sys.platform != "linux", reason="forking isn't safe on macOS")
def test_processes_are_forked_whatever_the_default_is():
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    try:
        fork_processes()
        fork_processes()

        assert multiprocessing.get_start_method() == "fork"
    finally:
        multiprocessing.set_start_method(before, force=True)
