"""Leases under which one instance does a task for all of them, such as a timer of a plug-in.

The rescuer's own lease is in `scripts/rescue.lua`.
"""

from errand.store.redis_access.store_part import StorePart


class LeadershipPart(StorePart):
    """The part of the store that has these leases."""

    def lead(self, role: str, token: str, seconds: float) -> bool:
        """Take or renew the lease of `role` as the instance `token`; False if another one leads.

        Raises StoreUnavailable.
        """
        return bool(self._run("lead", role, token, int(seconds * 1000)))
