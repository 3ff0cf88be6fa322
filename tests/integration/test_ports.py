"""Ports of servers that are started later: no two Errands choose the same."""

import subprocess
import sys

from errand.process.ports import any_free_port, port_is_free

CHOOSE = """
import sys
from errand.process.ports import free_port
print(free_port(int(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def test_two_who_choose_at_once_choose_different_ports_though_nobody_listens_yet():
    preferred = any_free_port()
    command = [sys.executable, "-c", CHOOSE, str(preferred)]
    choosing = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        chosen = [int(each.stdout.readline()) for each in choosing]
    finally:
        for each in choosing:
            each.communicate("\n")

    assert len(set(chosen)) == 3
    assert preferred in chosen
    assert all(map(port_is_free, chosen))
