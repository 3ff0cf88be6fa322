"""Cancels, retries and deletes accepted jobs for their clients, and has their notifications sent now.

Next: `listing.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from errand.store.redis_access.store_part import StorePart
from schemas.status import Status

Reply = Literal["done", "requested", "refused", "unknown", "changed"]

ANY_STATE: Final = ""
"""Stands for the state of a job that may be any."""


@dataclass(frozen=True, slots=True)
class ControlResult:
    """Result of such a request. `status` is the status before (None: there is no such job).

    `queue` is the queue in which the job waits again. `to_tell` names the services that have something to send now.
    """

    reply: Reply
    status: Status | None
    queue: str = ""
    to_tell: tuple[str, ...] = ()


class ControlPart(StorePart):
    """The part of the store that clients use to change jobs."""

    def cancel(self, job_id: str, seen: str = ANY_STATE) -> ControlResult:
        """Cancel a job: `done` at once if it waits, `requested` if it runs, `refused` if it has ended.

        `changed` if its state (`JobRecord.state`) isn't the one `seen`; so do `retry` and `delete`.
        """
        reply, before, services = self._run("cancel", job_id, self._kept_ms.cancelled, seen)
        return ControlResult(reply, _status(before), to_tell=tuple(services.split()))

    def retry(self, job_id: str, seen: str = ANY_STATE) -> ControlResult:
        """Run a failed or cancelled job again with all its attempts; `refused` in any other status."""
        return self.retry_these([job_id], seen)[0]

    def retry_these(
        self, job_ids: Sequence[str], seen: str = ANY_STATE, *, unhandled: bool = False
    ) -> list[ControlResult]:
        """Do the same with several jobs in one step; return a result for each, in their order.

        `unhandled`: `refused` also for jobs that have been replayed.
        """
        rows = self._run("retry", seen, "unhandled" if unhandled else "", *job_ids) if job_ids else []
        return [ControlResult(reply, _status(before), queue) for reply, before, queue in rows]

    def retry_notifications(self, job_id: str) -> ControlResult:
        """Send failed and waiting notifications of a job now; `refused` if there are none."""
        reply, before, services = self._run("retry_notifications", self._mail, job_id)
        return ControlResult(reply, _status(before), to_tell=tuple(services.split()))

    def delete(self, job_id: str, seen: str = ANY_STATE) -> ControlResult:
        """Delete a finished job; `refused` while it has not ended. Its pending notifications are still sent."""
        reply, before = self._run("delete_job", job_id, seen)
        return ControlResult(reply, _status(before))


def _status(text: str) -> Status | None:
    return Status(text) if text else None
