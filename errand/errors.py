"""Everything that can go wrong, as one short tree. The docstring of an error is its message.

`api/http/problems.py` has the one table from these to HTTP statuses.
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


class ScheduleRefused(JobRefused):
    """The body is not a schedule Errand can keep; see `errors` for each field."""


class ScheduleNameRefused(ErrandError):
    """A schedule's name has 1 to 64 letters, digits, dots, underscores and hyphens; choose another."""


class ScheduleUnknown(ErrandError):
    """There is no schedule of this name; `GET /schedules` has those there are."""


class SchedulesFull(ErrandError):
    """There are as many schedules as the store keeps; delete one that is no longer needed."""


class OperationUnknown(ErrandError):
    """There is no operation of this name; `GET /operations` has those there are."""


class IdempotencyKeyRefused(ErrandError):
    """An Idempotency-Key has 1 to 255 visible ASCII characters and no space, as a UUID does; send another."""


class IdempotencyKeyReused(ErrandError):
    """Another job was sent with this Idempotency-Key; send the same as then, or choose a new key."""


class ParameterRefused(ErrandError):
    """A parameter of the query is unknown or out of range; `parameter` names it."""


class MoveRefused(ErrandError):
    """The job is not in a status in which this can be done."""


class EventIdRefused(ErrandError):
    """A Last-Event-ID is the `id` of an event, such as 1795241594123-0; send one you were given, or none."""


class StreamsFull(ErrandError):
    """Too many event streams are open; close one, or come again shortly."""


class BodyUnreadable(ErrandError):
    """The body is not JSON; send a JSON object."""


class MediaTypeUnsupported(ErrandError):
    """Send the body as JSON, with the header `Content-Type: application/json`."""


class JobUnknown(ErrandError):
    """There is no job with this id; it may have expired, or the id is mistyped."""


class LinkRefused(ErrandError):
    """This link is not one of ours; it may be cut off or mistyped. Open it from the mail again."""


class LinkExpired(ErrandError):
    """This link's time is over; ask whoever runs this service for the job."""


class MailUnknown(ErrandError):
    """There is no mail with this id; it may have been deleted, or the id is mistyped."""


class FileUnknown(ErrandError):
    """The result makes no such file, or there is none yet; its page offers those there are."""


class FormRefused(ErrandError):
    """Send the form field `List-Unsubscribe`: `One-Click` ends mails, `Resume` has them sent again."""


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


class CallRefused(ErrandError):
    """A call's arguments are JSON, 1 MiB of it at most: texts, finite numbers, lists, objects; send nothing else."""


class ServiceMissing(ErrandError):
    """No instance of this service takes calls now; try again shortly."""


class ServiceSlow(ErrandError):
    """The service did not answer in time; what it was asked for may still be done."""


class ServiceFailed(ErrandError):
    """The service ended the call with an error; its log says why."""

    def __init__(self, service: str, method: str, type_: str, text: str = "") -> None:
        """Name the error by its type; what it says beside that is in `text`, for the log and for the caller's code."""
        self.type, self.text = type_, text
        super().__init__(f"{service}.{method} ended with {type_}.")


class BrokerUnavailable(ErrandError):
    """The message broker can't be reached; what was accepted is kept and runs when it is back."""


class BrokerBlocked(BrokerUnavailable):
    """The broker takes no messages while its memory or disk is short; jobs wait in the outbox until it does again."""


class DoorbellUnroutable(BrokerUnavailable):
    """The broker has no queue for this doorbell; it is declared again and the doorbell is rung later."""


class MailRefused(ErrandError):
    """The mail server refuses this mail for good; it is not tried again."""


class MailDeferred(ErrandError):
    """The mail server did not take the mail this time; it is tried again later."""


class MailServerAway(MailDeferred):
    """The mail server takes no mail from us now, whatever is in it; mails wait until it does."""
