"""Leases under which one instance does something for all of them.

Stands beside a job's life: the rescuer leads in its own script, plug-ins' timers ask here.
"""

from errand.store.base import StorePart


class LeadershipPart(StorePart):
    """The leaders' side of the store."""

    def lead(self, role: str, token: str, seconds: float) -> bool:
        """Take or renew the lease of `role` as the instance `token`; False when another one leads.

        Raises StoreUnavailable.
        """
        return bool(self._run("lead", role, token, int(seconds * 1000)))
