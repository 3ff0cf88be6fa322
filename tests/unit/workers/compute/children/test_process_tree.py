"""A process and its descendants are found in /proc."""

import os
import subprocess
import sys

import pytest

from workers.compute.children.process_tree import children_of, memory_of, tree_of


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_tree_is_a_process_with_all_its_descendants():
    code = "import subprocess, sys; subprocess.run(['cat'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        process.stdout.readline()  # both run by now

        tree = tree_of(process.pid)

        assert process.pid in children_of(os.getpid())
        assert tree == [process.pid, *children_of(process.pid)]
        assert len(tree) == 2
        assert memory_of(tree) > 2**20
        process.kill()
