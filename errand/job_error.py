"""The error of a job as the store has it: JSON with its type, its message, and whether people may read that message.

The worker writes it (`workers/compute/attempt.py`), and so do the Redis scripts for jobs that no worker ended. Reports
leave the mark out; `presenting/explanation.py` obeys it.
"""

import json
from typing import Final, NamedTuple

LONGEST_MESSAGE: Final = 2000
"""Maximum characters of an error's message."""
LONGEST_TYPE: Final = 200

_MARK: Final = ',"public":true}'
"""What the text of an error ends with whose message was written for people. No string of JSON can end so."""


class JobError(NamedTuple):
    """Why a job failed or was cancelled. `public`: everyone who may see the job may read the message."""

    type: str
    message: str
    public: bool = False

    @property
    def line(self) -> str:
        """Both in one text, as Python ends a traceback."""
        return f"{self.type}: {self.message}" if self.message else self.type

    def written(self) -> str:
        """Write it as JSON. Its message may hold anything; lone surrogates are replaced."""
        texts = (self.type[:LONGEST_TYPE], self.message[:LONGEST_MESSAGE])
        safe = [text.encode("utf-8", "replace").decode() for text in texts]
        body = json.dumps(dict(zip(("type", "message"), safe, strict=True)), ensure_ascii=False, separators=(",", ":"))
        return body.removesuffix("}") + _MARK if self.public else body


def read_error(document: str) -> JobError:
    """Read what `written` wrote; anything else becomes an error without a message."""
    try:
        found = json.loads(document)
        return JobError(str(found["type"]), str(found["message"]), found.get("public") is True)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return JobError("Error", "")


def for_clients(document: str) -> str:
    """Return the JSON that clients get: the type and the message."""
    return document.removesuffix(_MARK) + "}" if document.endswith(_MARK) else document
