"""Traces: what operators read about a failed attempt, and what they must not read."""

import asyncio
import json

import pytest

from workers.compute.attempt import attempt, failed
from workers.compute.trace import MOST_BYTES, NO_TRACE, CodePlace, bounded, place_of, trace_of
from workers.operations import registry
from workers.operations.registry import operation

HERE = "tests/unit/workers/compute/test_trace.py"


def caught(function, *arguments) -> BaseException:
    try:
        function(*arguments)
    except BaseException as error:  # noqa: BLE001 -- whatever a test raises is what it asks about
        return error
    raise AssertionError("nothing was raised")


def total(amounts: dict) -> int:
    secret = "hunter2"
    assert secret
    return amounts["amount"]


def wrapped(amounts: dict) -> int:
    try:
        return total(amounts)
    except KeyError as error:
        error.add_note("a note for whoever looks")
        raise ValueError("no total") from error


def test_it_has_the_frames_the_error_and_the_place_but_no_values():
    trace = trace_of(caught(total, {}))

    assert trace.text.startswith("Traceback (most recent call last):\n")
    assert trace.text.endswith("KeyError: 'amount'\n")
    assert "hunter2" not in trace.text
    assert trace.place.startswith(f"{HERE}:")
    assert trace.place.endswith(" in total")


def test_it_has_causes_and_notes():
    text = trace_of(caught(wrapped, {})).text

    assert "KeyError: 'amount'\na note for whoever looks\n\nThe above exception was the direct cause" in text
    assert text.endswith("ValueError: no total\n")


def test_it_has_each_error_of_a_group():
    group = ExceptionGroup("both", [caught(total, {}), caught(wrapped, {})])
    text = trace_of(group).text

    assert text.count("KeyError: 'amount'") == 2
    assert "ValueError: no total" in text


def test_the_frames_that_run_operations_are_left_out(monkeypatch):
    monkeypatch.setattr(registry, "REGISTRY", {})
    operation()(total)

    ending = attempt(registry.REGISTRY["total"], '{"amounts": {}}', 1000)

    assert ending.trace.text.count('  File "') == 1
    assert "attempt.py" not in ending.trace.text
    assert ending.trace.place.endswith(" in total")


def test_asyncios_frames_are_left_out_between_the_operations_own():
    async def slow() -> None:
        async with asyncio.timeout(0.001):
            await asyncio.Event().wait()

    trace = trace_of(caught(asyncio.run, slow()))

    assert "TimeoutError" in trace.text
    assert "asyncio/" not in trace.text
    assert trace.place.endswith("in slow")


def test_the_place_is_the_operations_line_and_not_the_librarys():
    def parse() -> object:
        return json.loads("{")

    trace = trace_of(caught(parse))

    assert "json/decoder.py" in trace.text
    assert trace.place.endswith("in parse")


def test_what_was_never_raised_has_none():
    assert trace_of(ValueError("only made")) is NO_TRACE
    assert failed(ValueError("only made")).trace is NO_TRACE


def test_an_error_whose_notes_can_not_be_read_breaks_nothing():
    class Broken(Exception):
        @property
        def __notes__(self) -> list[str]:
            raise RuntimeError

    def breaks() -> None:
        raise Broken

    # Python 3.13 and later write that they couldn't read the notes; earlier ones write nothing
    assert trace_of(caught(breaks)).text.count("raise Broken") <= 1


@pytest.mark.parametrize("text", ["x" * 100_000, "é\n" * 100_000, "😀" * 50_000, "\ud800" * 40_000])
def test_a_long_one_keeps_both_ends(text):
    kept = bounded(f"begin {text} end")

    assert len(kept.encode()) <= MOST_BYTES
    assert kept.startswith("begin ")
    assert kept.endswith(" end")
    assert "bytes left out" in kept


def test_a_deep_recursion_is_bounded():
    def even(n: int) -> int:
        return odd(n)

    def odd(n: int) -> int:
        return even(n + 1)

    trace = trace_of(caught(even, 0))

    assert len(trace.text.encode()) <= MOST_BYTES
    assert trace.text.endswith("RecursionError: maximum recursion depth exceeded\n")


def test_a_place_without_code_of_its_own_is_the_innermost():
    library = CodePlace(json.__file__, 3, "loads")

    assert place_of([library]).endswith("json/__init__.py:3 in loads")
    assert place_of([]) == ""
