"""Everything that can go wrong, as one short tree. The docstring of an error is its message.

`api/problems.py` has the one table from these to HTTP statuses.
"""

from typing import Any


class ErrandError(Exception):
    """Errand could not do what was asked."""

    def __init__(self, detail: str | None = None, **fields: Any) -> None:
        """Keep `detail` as the message (default: the class's docstring) and the data of this occurrence in `fields`."""
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.fields = fields
        super().__init__(self.detail)


class SettingsRefused(ErrandError):
    """A setting is missing or out of range; see config/.env.example."""


class JobRefused(ErrandError):
    """The body is not a job Errand can run; see `errors` for each field."""


class BodyUnreadable(ErrandError):
    """The body is not JSON; send a JSON object."""


class MediaTypeUnsupported(ErrandError):
    """Send the body as JSON, with the header `Content-Type: application/json`."""


class JobUnknown(ErrandError):
    """There is no job with this id; it may have expired, or the id is mistyped."""


class StoreUnavailable(ErrandError):
    """The job store can't be reached, so nothing was accepted; try again shortly."""


class CatalogueEmpty(ErrandError):
    """No worker has announced what it can compute yet; start one with `make workers`, then try again."""


class OperationFailed(ErrandError):
    """The operation ended with an error."""


class CallFailed(ErrandError):
    """The call failed on our side; the worker's log says why."""


class ResultUnserialisable(ErrandError):
    """The call was done, but its result can't be sent as JSON."""


class BrokerUnavailable(ErrandError):
    """The message broker can't be reached; what was accepted is kept and runs when it is back."""


class DoorbellUnroutable(BrokerUnavailable):
    """The broker has no queue for this doorbell; it is declared again and the doorbell is rung later."""


class MailRefused(ErrandError):
    """The mail server refuses this mail for good; it is not tried again."""


class MailDeferred(ErrandError):
    """The mail server did not take the mail this time; it is tried again later."""
