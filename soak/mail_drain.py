"""Takes the mails from the mail server, so that it keeps none: it must not grow itself.

Stands after step 6 of a job's life, before `tracker.py`.
"""

from tests.support.smtp import Caught, SmtpSink


def taken(sink: SmtpSink) -> list[str]:
    """Give the Message-IDs of the mails that came since the last time, and empty the sink."""
    caught: list[Caught] = []

    def empty() -> None:
        caught.extend(sink.messages)
        for kept in (sink.messages, sink.commands, sink.logins, sink.received):
            kept.clear()

    sink.note(empty)
    return [str(each.message["Message-ID"]) for each in caught]
