"""Every error that Errand raises. The docstring of a class is its default message.

`api/http/problems.py` holds the one table from these errors to HTTP statuses.

ErrandError
    SettingsRefused
  A request is refused:
    JobRefused
      ScheduleRefused
    ScheduleNameRefused
    IdempotencyKeyRefused
    IdempotencyKeyReused
    ParameterRefused
    EventIdRefused
    BodyUnreadable
    MediaTypeUnsupported
    FormRefused
    LinkRefused
    LinkExpired
    MoveRefused
    PreconditionFailed
    CrossSiteRefused
  Something does not exist:
    JobUnknown
    OperationUnknown
    ScheduleUnknown
    MailUnknown
    FileUnknown
  A limit is reached, or a server is out of reach:
    SchedulesFull
    StreamsFull
    CatalogueEmpty
    StoreUnavailable
    BrokerUnavailable
      BrokerBlocked
      DoorbellUnroutable
  A job or a call failed:
    PublicError
    OperationFailed
    CallFailed
    CallRefused
    ResultUnserialisable
    ServiceMissing
    ServiceSlow
    ServiceFailed
  A mail was not sent:
    MailRefused
    MailDeferred
      MailServerAway
"""

from typing import Any


class ErrandError(Exception):
    """Errand could not do what was asked."""

    def __init__(self, detail: str | None = None, **fields: Any) -> None:
        """Keep `detail` as the message (default: the class's docstring) and `fields` as the data of this occurrence."""
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
    """A schedule name must be 1 to 64 letters, digits, dots, underscores or hyphens; choose another."""


class ScheduleUnknown(ErrandError):
    """There is no schedule with this name; `GET /schedules` lists all schedules."""


class SchedulesFull(ErrandError):
    """The maximum number of schedules is stored already; delete one that is no longer needed."""


class OperationUnknown(ErrandError):
    """There is no operation with this name; `GET /operations` lists all operations."""


class IdempotencyKeyRefused(ErrandError):
    """An Idempotency-Key must be 1 to 255 visible ASCII characters without spaces, such as a UUID; send another."""


class IdempotencyKeyReused(ErrandError):
    """This Idempotency-Key was used for a different job; repeat that request unchanged, or send a new key."""


class ParameterRefused(ErrandError):
    """A query parameter is unknown or out of range; `parameter` names it."""


class MoveRefused(ErrandError):
    """The job's status does not allow this."""


class CrossSiteRefused(ErrandError):
    """A page of another site may not do this; the setting CORS_ORIGINS names the sites that may."""


class PreconditionFailed(ErrandError):
    """It has changed since you read it, so nothing was done; read it again, and send its new `ETag`."""


class EventIdRefused(ErrandError):
    """A Last-Event-ID must be the `id` of an event, such as 1795241594123-0; send one you received, or none."""


class StreamsFull(ErrandError):
    """Too many event streams are open; close one, or try again shortly."""


class BodyUnreadable(ErrandError):
    """The body is not JSON; send a JSON object."""


class ContentEncodingUnsupported(ErrandError):
    """Send the body as it is, without compression and without the header `Content-Encoding`."""


class MediaTypeUnsupported(ErrandError):
    """Send the body as JSON, with the header `Content-Type: application/json`."""


class JobUnknown(ErrandError):
    """There is no job with this id; it may have expired, or the id is mistyped."""


class LinkRefused(ErrandError):
    """This link is not valid; it may be cut off or mistyped. Open it from the mail again."""


class LinkExpired(ErrandError):
    """This link has expired; ask the operator of this service for the job."""


class MailUnknown(ErrandError):
    """There is no mail with this id; it may have been deleted, or the id is mistyped."""


class FileUnknown(ErrandError):
    """There is no such file of this result, or no result yet; the job's page links to every file."""


class FormRefused(ErrandError):
    """Send the form field `List-Unsubscribe`: `One-Click` stops the mails, `Resume` starts them again."""


class StoreUnavailable(ErrandError):
    """The job store can't be reached, so nothing was accepted; try again shortly."""


class CatalogueEmpty(ErrandError):
    """No worker has announced its operations yet; start one with `make workers`, then try again."""


# raised by operations: everyone who may see the job reads its message, in mails too, so it says what to do
class PublicError(ErrandError):
    """The operation can't be carried out with these arguments."""

    @property
    def type(self) -> str:
        """The `type` of the job's error: the keyword `type` if one was given, else the name of the class."""
        given = getattr(self, "fields", {}).get("type")  # a subclass may have an `__init__` of its own
        return str(given or type(self).__name__)


class OperationFailed(ErrandError):
    """The operation ended with an error."""


class CallFailed(ErrandError):
    """The call failed on our side; the worker's log says why."""


class ResultUnserialisable(ErrandError):
    """The call succeeded, but its result can't be sent as JSON."""


class CallRefused(ErrandError):
    """A call's arguments must be JSON of at most 1 MiB: strings, finite numbers, booleans, null, lists and objects."""


class ServiceMissing(ErrandError):
    """No instance of this service accepts calls now; try again shortly."""


class ServiceSlow(ErrandError):
    """The service did not answer in time; it may still carry out the call."""


class ServiceFailed(ErrandError):
    """The service ended the call with an error; its log says why."""

    def __init__(self, service: str, method: str, type_: str, text: str = "") -> None:
        """Name the error by its type; `text` keeps its message, for the log and for the caller's code."""
        self.type, self.text = type_, text
        super().__init__(f"{service}.{method} ended with {type_}.")


class BrokerUnavailable(ErrandError):
    """The message broker can't be reached; accepted jobs are kept and run when it is back."""


class BrokerBlocked(BrokerUnavailable):
    """The broker accepts no messages while it is short of memory or disk; jobs wait in the outbox until it does."""


class DoorbellUnroutable(BrokerUnavailable):
    """The broker has no queue for this doorbell; the queue is declared again and the doorbell is rung later."""


class MailRefused(ErrandError):
    """The mail server refuses this mail permanently; it is not tried again."""


class MailDeferred(ErrandError):
    """The mail server did not accept the mail this time; it is tried again later."""


class MailServerAway(MailDeferred):
    """The mail server accepts no mail from Errand now; mails wait until it does."""
