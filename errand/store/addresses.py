"""What the store knows of addresses: who wants no mails, and the secret of the links by which their owners say so.

Stands behind step 6 of a job's life. Whether a mail's owner has unsubscribed is asked by the script that claims it,
`scripts/claim_notifications.lua`. Next: `events.py`.
"""

import secrets

from errand.store.base import StorePart

SECRET_BYTES = 32
"""Length of the secret that signs links."""


class AddressesPart(StorePart):
    """The side of the store that those who are mailed can change."""

    def unsubscribe(self, address: str) -> bool:
        """Send no more mails to `address`, however it is capitalised. False: it was so before."""
        return bool(self._run("set_subscription", address, "off"))

    def resubscribe(self, address: str) -> bool:
        """Send mails to `address` again. False: nobody had ended them."""
        return bool(self._run("set_subscription", address, "on"))

    def is_unsubscribed(self, address: str) -> bool:
        """Tell whether no mails are sent to `address`."""
        with self._asking():
            return self._client.zscore(self._keys.unsubscribed, address.lower()) is not None

    def link_secret(self) -> bytes:
        """Give the secret that signs the links in mails: made once, and the same for all processes on this store."""
        return bytes.fromhex(self._run("link_secret", secrets.token_hex(SECRET_BYTES)))
