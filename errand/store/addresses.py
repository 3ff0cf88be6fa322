"""Stores which addresses have unsubscribed from mails, and the secret that signs the links in mails.

The script that claims a mail, `scripts/claim_notifications.lua`, checks whether its address has unsubscribed.
"""

import secrets

from errand.store.redis_access.store_part import StorePart

SECRET_BYTES = 32
"""Length of the secret that signs links."""


class AddressesPart(StorePart):
    """The part of the store that recipients of mails can change."""

    def unsubscribe(self, address: str) -> bool:
        """Send no more mails to `address`, however it is capitalised. False: it had unsubscribed before."""
        return bool(self._run("set_subscription", address, "off"))

    def resubscribe(self, address: str) -> bool:
        """Send mails to `address` again. False: it had not unsubscribed."""
        return bool(self._run("set_subscription", address, "on"))

    def is_unsubscribed(self, address: str) -> bool:
        """Return whether `address` has unsubscribed."""
        with self._asking():
            return self._client.zscore(self._keys.unsubscribed, address.lower()) is not None

    def link_secret(self) -> bytes:
        """Return the secret that signs the links in mails: made once, and the same for all processes on this store."""
        return bytes.fromhex(self._run("link_secret", secrets.token_hex(SECRET_BYTES)))
