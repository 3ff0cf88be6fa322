"""A real PostgreSQL for tests, from the system's package; it never runs as root."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import LOCALHOST, steady_port
from tests.support.processes import Running, descendants

USER = "postgres"
"""The package's own user, as whom root runs it; and the superuser inside."""
COMMAND_TAKES = 120


class Postgres:
    """One server for a whole test run; each test has its own database."""

    def __init__(self) -> None:
        """Choose a port and make a folder that its user may enter; nothing is started."""
        self.port = steady_port()
        self._numbers = itertools.count(1)
        self.folder = Path(tempfile.mkdtemp(prefix="errandtest-postgres-"))
        if os.getuid() == 0:
            shutil.chown(self.folder, USER)
        self.data = self.folder / "data"
        options = {
            "listen_addresses": LOCALHOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": "60",
        }
        pairs = itertools.chain.from_iterable(("-c", f"{name}={value}") for name, value in options.items())
        command = [*as_its_user(), str(program("postgres")), "-D", str(self.data), *pairs]
        self.server = Running("postgres", command, self.folder / "log", ready=self.answers, cwd=self.folder)

    @staticmethod
    def there() -> bool:
        """Return whether the system has the package, and root a way to run it as its user."""
        return bool(programs()) and (os.getuid() != 0 or bool(shutil.which("setpriv")))

    def start(self) -> None:
        """Start it (again), and return when it takes connections."""
        if not self.data.exists():
            self._run("initdb", "-D", str(self.data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self.server.start()

    def stop(self) -> None:
        """Stop it without waiting for those who are connected; what it holds is there when it starts again."""
        if self.server.running:
            self.server.interrupt()
        self.server.stop()

    def close(self) -> None:
        """Stop it for good and remove every trace."""
        self.stop()
        shutil.rmtree(self.folder)

    def fresh_url(self) -> str:
        """Return the address of a database that no other test uses."""
        name = f"test_{next(self._numbers)}"
        self._run("createdb", "-h", LOCALHOST, "-p", str(self.port), "-U", USER, name)
        return f"postgresql://{USER}:swordfish@{LOCALHOST}:{self.port}/{name}"

    def answers(self) -> bool:
        """Return whether it takes connections."""
        command = [program("pg_isready"), "-q", "-h", LOCALHOST, "-p", str(self.port)]
        return subprocess.run(command, timeout=COMMAND_TAKES, check=False).returncode == 0

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Pause it: it accepts connections and answers nothing."""
        assert self.server.process is not None
        pids = [self.server.process.pid, *descendants(self.server.process.pid)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def _run(self, name: str, *arguments: str) -> None:
        command = [*as_its_user(), str(program(name)), *arguments]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=COMMAND_TAKES, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"


def programs() -> list[Path]:
    """List the folders in which Debian has the programs of each release, the newest last; else where PATH has them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return [path.parent for path in found] or ([Path(on_path).parent] if on_path else [])


def program(name: str) -> Path:
    """Find one of them."""
    return programs()[-1] / name


def as_its_user() -> Sequence[str]:
    """Return what runs a command as the package's user, and has it die with the tests, where they are root's."""
    if os.getuid() != 0:
        return ()
    return ("setpriv", f"--reuid={USER}", f"--regid={pwd.getpwnam(USER).pw_gid}", "--init-groups", "--pdeathsig=KILL")
