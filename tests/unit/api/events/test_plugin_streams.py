"""Streams of plug-ins, written by hand; `tests/e2e/examples/` has them open."""

from collections.abc import Iterator

from api.events import plugin_streams


def test_a_stream_that_has_no_news_says_that_it_is_still_there(monkeypatch) -> None:
    monkeypatch.setattr(plugin_streams, "HEARTBEAT_SECONDS", 0.0)

    parts = list(plugin_streams._written(iter([None, '{"id": 7}', None]), lambda _: False))

    assert parts == [b"retry: 2000\n", b": still here\n", b'data: {"id": 7}\n\n', b": still here\n"]


def test_a_stream_ends_when_the_server_stops_even_without_news() -> None:
    def endless() -> Iterator[None]:
        while True:
            yield None

    assert list(plugin_streams._written(endless(), lambda _: True)) == [b"retry: 2000\n"]
