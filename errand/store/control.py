"""What a client may change of a job that was accepted: cancel it, retry it, tell of it again, remove it.

Stands beside the whole life of a job. Next: `listing.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from errand.store.base import StorePart
from schemas.status import Status

Reply = Literal["done", "requested", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class ControlResult:
    """What came of it. `status` is the one before (None: there is no such job); `queue` is where it waits again.

    `to_tell`: the services that have somebody to tell now.
    """

    reply: Reply
    status: Status | None
    queue: str = ""
    to_tell: tuple[str, ...] = ()


class ControlPart(StorePart):
    """The client's side of the store."""

    def cancel(self, job_id: str, result_ttl: int) -> ControlResult:
        """Call a job off: done at once where it waits, requested where it runs, refused where it has ended."""
        reply, before, told = self._run("cancel", job_id, result_ttl * 1000)
        return ControlResult(reply, _status(before), to_tell=tuple(told.split()))

    def retry(self, job_id: str) -> ControlResult:
        """Run a failed or cancelled job again with all its attempts; refused in any other status."""
        return self.retry_these([job_id])[0]

    def retry_these(self, job_ids: Sequence[str]) -> list[ControlResult]:
        """Do the same with several jobs in one step; an answer for each, in their order."""
        rows = self._run("retry", *job_ids) if job_ids else []
        return [ControlResult(reply, _status(before), queue) for reply, before, queue in rows]

    def retry_notifications(self, job_id: str) -> ControlResult:
        """Try once more to tell of a job what failed to be told; refused where nothing did."""
        reply, before, told = self._run("retry_notifications", self._mail, job_id)
        return ControlResult(reply, _status(before), to_tell=tuple(told.split()))

    def delete(self, job_id: str) -> ControlResult:
        """Remove a finished job; refused while it has not ended. Who is still to be told of it is told."""
        reply, before = self._run("delete_job", job_id)
        return ControlResult(reply, _status(before))


def _status(text: str) -> Status | None:
    return Status(text) if text else None
