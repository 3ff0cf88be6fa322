"""`python -m workers.shell`: nameko's shell on the configured broker, with `n.rpc` to call the services.

Stands beside the life of a job, for people; reads commands from a pipe as well. The calls end up in `entrypoints/rpc.py`.
"""

import sys
import warnings

with warnings.catch_warnings():
    # eventlet announces its retirement and setuptools that of pkg_resources; neither is news for who types here
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    from nameko.cli.shell import ShellRunner, make_nameko_helper

from kombu.exceptions import OperationalError
from nameko.utils import sanitize_url

from errand.broker.connection import FAULTS, open_connection
from errand.settings import Settings

BANNER = """Errand on {broker}

    >>> n.rpc.compute.compute('sum', 30, 10, "name@email.com")
    40
    >>> n.rpc.mail.send("name@email.com", "testing", "Just testing")
"""


def main() -> int:
    """Open the shell; 1 when the broker is away, with a sentence."""
    settings = Settings.load_or_exit()
    broker = sanitize_url(settings.amqp_uri)
    try:
        # by itself it makes the embedded broker known to nameko's connections; asked first, it answers soon or not at all
        with open_connection(settings.amqp_uri) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=3)
        helper = make_nameko_helper({"AMQP_URI": settings.amqp_uri, "ACCEPT": ["json"]})
    except (*FAULTS, OperationalError):
        sys.stderr.write(f"errand: the broker at {broker} can't be reached; start it, or set AMQP_URI.\n")
        return 1
    try:
        ShellRunner(BANNER.format(broker=broker), {"n": helper}).start_shell(name="plain")
    finally:
        helper.disconnect()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
