"""A worker looks host names up on its hub, and loads the resolver only when it needs one."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
from workers import green; green.monkey_patch()
import eventlet, smtplib, socket, sys
host = sys.argv[1]
try:
    print(socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)[0][4][0])
except socket.gaierror:
    print("unknown")
print("dns.resolver" in sys.modules, smtplib.socket.create_connection.__module__)
"""


def looked_up(host: str) -> tuple[str, str, str]:
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, host]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    address, loaded, patched = run.stdout.split()
    return address, loaded, patched


@pytest.mark.parametrize(("host", "address"), [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("localhost", "")])
def test_addresses_and_this_machine_are_known_without_a_resolver(host, address):
    found, loaded, patched = looked_up(host)

    assert found == address or (not address and found in {"127.0.0.1", "::1"})
    assert (loaded, patched) == ("False", "eventlet.green.socket")


def test_any_other_name_is_looked_up_by_the_resolver_of_the_hub():
    assert looked_up("nobody.invalid")[:2] == ("unknown", "True")


LOOK = """
from workers import green; green.monkey_patch()
import socket
from redis._parsers import hiredis
from redis.connection import _HiredisParser
assert hiredis._socket_can_read.__module__ == "workers.green", "redis-py has another name for it"
assert "_socket_can_read" in _HiredisParser.can_read.__code__.co_names
ours, theirs = socket.socketpair()
print(hiredis._socket_can_read(ours, 0), hiredis._socket_can_read(ours, 0.01), end=" ")
theirs.send(b"x")
print(hiredis._socket_can_read(ours, 0), hiredis._socket_can_read(ours, 0.01), end=" ")
ours.recv(1)
theirs.close()
print(hiredis._socket_can_read(ours, 0), hiredis._socket_can_read(ours, 0.01))
"""


def test_redis_py_sees_waiting_data_and_a_closed_connection_without_the_hub():
    command = [sys.executable, "-W", "ignore", "-c", LOOK]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)

    assert run.stdout.split() == ["False", "False", "True", "True", "True", "True"]
