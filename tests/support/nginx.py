"""A real nginx for tests, which runs `deploy/nginx.conf` as it is, but for its ports."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import LOCALHOST
from tests.support.processes import ROOT, Running

CONFIG = ROOT / "deploy" / "nginx.conf"
STRIPPING = "proxy_pass http://errand/;"
KEEPING = "proxy_pass http://errand;"
TEMP = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

MAIN = """\
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr info;
events {{ worker_connections 256; }}
http {{
    access_log off;
    {temp}
    include {folder}/errand.conf;
}}
"""


def binary() -> str | None:
    """Return the program; as a user other than root, it may not be on PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def running(folder: Path, port: int, api_port: int, *, address: str, strips: bool = True) -> Iterator[Running]:
    """Run nginx on `port` before the API on `api_port`, to which it connects from `address`.

    With `strips`, as the file has it, it strips the path; without, it keeps it.
    """
    config = CONFIG.read_text()
    for part, other in {
        "listen 80;": f"listen {LOCALHOST}:{port};",
        "server 127.0.0.1:5000;": f"server {LOCALHOST}:{api_port};",
        STRIPPING: f"{STRIPPING if strips else KEEPING} proxy_bind {address};",
    }.items():
        assert config.count(part) == 1, f"deploy/nginx.conf should have {part!r} once"
        config = config.replace(part, other)
    (folder / "errand.conf").write_text(config)
    temp = "".join(f"{name}_temp_path {folder}/{name};" for name in TEMP)
    # as root, nginx would work as a user who can't enter the test's folder
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "main.conf").write_text(MAIN.format(folder=folder, user=user, temp=temp))
    command = [str(binary()), "-p", str(folder), "-c", str(folder / "main.conf")]
    server = Running("nginx", command, folder / "nginx.log", ready=lambda: _listens(port), cwd=folder)
    try:
        yield server.start()
    finally:
        server.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOCALHOST, port)) == 0
