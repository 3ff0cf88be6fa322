"""What the parts of the store have in common: a client, the keys of one Errand, and how a script is run with them.

Stands under `jobs.py`, `control.py` and the others, which together are the Store.
"""

from typing import Any

from errand.store.scripts import Argument, Client, run
from errand.topology import Keys


class Part:
    """One side of the store, on a pool of connections that threads may share."""

    def __init__(self, client: Client, keys: Keys, mail: bool = True) -> None:
        """Use `client` with the keys of one Errand; `mail`: whether notifications are sent, or marked as off."""
        self._client, self._keys, self._mail = client, keys, "on" if mail else "off"

    def _run(self, script: str, *arguments: Argument) -> Any:
        """Run a script; raise StoreUnavailable."""
        return run(self._client, script, self._keys.prefix, *arguments)


def record_of(fields: list[str]) -> dict[str, str]:
    """Make a record of what HGETALL gives inside a script: field, value and so on."""
    return dict(zip(fields[::2], fields[1::2], strict=True))
