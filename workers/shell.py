"""`python -m workers.shell`: nameko's shell on the configured broker, with `n.rpc` to call the services.

It reads commands from a pipe as well. `entrypoints/rpc.py` receives the calls.
"""

import sys
import warnings

with warnings.catch_warnings():
    # deprecation warnings of eventlet and pkg_resources don't concern the user of the shell
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    from nameko.cli.shell import ShellRunner, make_nameko_helper

from nameko.utils import sanitize_url

from errand.broker.connection import faults_of, open_connection
from errand.settings import Settings

BANNER = """Errand on {broker}

    >>> n.rpc.compute.compute('sum', 30, 10, "name@email.com")
    40
    >>> n.rpc.mail.send("name@email.com", "testing", "Just testing")
"""


def main() -> int:
    """Open the shell; return 1 if the broker can't be used, and say why."""
    settings = Settings.load_or_exit()
    broker = sanitize_url(settings.amqp_uri)
    # this also registers the embedded broker for nameko's own connections
    connection = open_connection(settings.amqp_uri)
    try:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=3)
    except faults_of(connection) as fault:
        sys.stderr.write(f"errand: the broker at {broker} can't be used ({fault}); start it, or set AMQP_URI.\n")
        return 1
    connection.release()
    helper = make_nameko_helper({"AMQP_URI": settings.amqp_uri, "ACCEPT": ["json"]})
    try:
        ShellRunner(BANNER.format(broker=broker), {"n": helper}).start_shell(name=None)
    finally:
        helper.disconnect()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
