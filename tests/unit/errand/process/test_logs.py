"""Log lines: one record is one line, whatever it quotes, and a traceback can't pass for another line."""

import logging
from io import StringIO

import pytest

from errand.errors import SettingsRefused
from errand.process import logs


@pytest.fixture
def lines(monkeypatch):
    """Give two loggers the handler that `configure` makes, beside pytest's own; return a function that reads lines."""
    made: list[logging.StreamHandler] = []
    monkeypatch.setattr(logging, "basicConfig", lambda handlers, **_: made.extend(handlers))
    logs.configure("INFO")
    written = StringIO()
    made[0].setStream(written)
    for name in ("test", logs.__name__):
        monkeypatch.setattr(logging.getLogger(name), "handlers", made)
    return lambda: written.getvalue().split("\n")[:-1]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_a_message_stays_on_its_line(lines, end):
    logging.getLogger("test").warning("bad: %s", f"x{end}2026-12-01 00:00:00,000 INFO errand all is well")

    [line] = lines()
    assert line.splitlines() == [line]
    assert "bad: x\\" in line


def test_a_message_can_not_control_a_terminal_or_turn_the_text_around(lines):
    logging.getLogger("test").warning("bad: %s", "\x1b[2J\u202eevil\x00\tand a tab")

    assert lines()[0].endswith("bad: \\x1b[2J\\u202eevil\\x00\tand a tab")


def test_an_id_stays_on_the_line_too(lines):
    logging.getLogger("test").warning("text", extra={"job_id": "1\n2"})

    assert len(lines()) == 1


@pytest.mark.parametrize("given", ["exc_info", "traceback"])
def test_a_traceback_stands_in_a_margin(lines, given):
    text = "x\n2026-12-01 00:00:00,000 INFO errand all is well\x1b[2J"
    extra = {"traceback": f"Traceback (most recent call last):\nValueError: {text}"} if given == "traceback" else {}
    try:
        raise ValueError(text)
    except ValueError as error:
        logging.getLogger("test").error("failed", exc_info=error if given == "exc_info" else None, extra=extra)

    first, *rest = lines()
    assert first.endswith(" failed")
    assert rest[0] == "  | Traceback (most recent call last):"
    assert all(line.startswith("  | ") for line in rest)
    assert rest[-1] == "  | 2026-12-01 00:00:00,000 INFO errand all is well\\x1b[2J"


def refused(cause: Exception | None) -> SettingsRefused:
    error = SettingsRefused("The operations in reports can't be loaded.", module="reports")
    error.__cause__ = cause
    return error


def test_a_module_that_fails_is_logged_with_its_line_and_without_the_import_machinery(lines, tmp_path, monkeypatch):
    (tmp_path / "a_failing_module.py").write_text("def begin():\n    return {}['start']\n\nbegin()\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyError) as fault:
        __import__("a_failing_module")

    logs.log_cause(refused(fault.value))

    first, *rest = lines()
    assert "action=load_failed" in first
    assert sum("  File " in line for line in rest) == 2
    assert rest[-1] == "  | KeyError: 'start'"


@pytest.mark.parametrize("cause", [None, ModuleNotFoundError("No module named 'x'")])
def test_a_refusal_that_says_enough_is_not_logged(lines, cause):
    logs.log_cause(refused(cause))

    assert lines() == []
