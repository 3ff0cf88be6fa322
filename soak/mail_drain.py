"""Removes the mails from the test's mail server, so that the server does not grow."""

from tests.support.smtp import Caught, SmtpSink


def drain_mails(sink: SmtpSink) -> list[str]:
    """Return the Message-IDs of the mails since the last call, and empty the server."""
    caught: list[Caught] = []

    def empty() -> None:
        caught.extend(sink.messages)
        for kept in (sink.messages, sink.commands, sink.logins, sink.received):
            kept.clear()

    sink.note(empty)
    return [str(each.message["Message-ID"]) for each in caught]
