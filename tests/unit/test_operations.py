"""Operations and how they are performed: exact numbers in, outcomes out, whatever happens inside."""

import json

import pytest

from errand.errors import OperationFailed, SettingsRefused
from errand.store import Lease
from schemas.status import Status
from workers.operations import OPERATIONS
from workers.operations.registry import Operation, operation
from workers.perform import Crew

LIMIT = 10**18


def perform(name: str, arguments: object, crew: Crew | None = None):
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    [outcome] = (crew or Crew(max_result_bytes=1_000_000)).perform([Lease("id", "1", 1, name, text)])
    return outcome


def answer(name: str, value: object, other: object) -> str:
    outcome = perform(name, {"value": value, "other": other})
    assert outcome.status is Status.SUCCEEDED, outcome.payload
    return outcome.payload


def error(outcome) -> dict[str, str]:
    assert outcome.status is Status.FAILED
    return json.loads(outcome.payload)


@pytest.fixture
def extra(monkeypatch):
    """Add functions as operations for one test."""

    def add(function):
        spec = OPERATIONS["sum"].spec.model_copy(update={"name": function.__name__})
        monkeypatch.setitem(OPERATIONS, function.__name__, Operation(spec, OPERATIONS["sum"].arguments, function))

    return add


@pytest.mark.parametrize(("name", "text"), [("sum", "40"), ("sub", "20"), ("mul", "300"), ("div", "3")])
def test_the_tutorials_answers(name, text):
    assert answer(name, 30, 10) == text


@pytest.mark.parametrize(
    ("name", "value", "other", "text"),
    [
        ("div", 10, 4, "2.5"),
        ("sum", LIMIT, LIMIT, str(2 * LIMIT)),
        ("sum", LIMIT, -1, str(LIMIT - 1)),
        ("sub", -LIMIT, LIMIT, str(-2 * LIMIT)),
        ("mul", LIMIT, LIMIT, str(LIMIT * LIMIT)),
        ("mul", LIMIT - 1, LIMIT - 1, str((LIMIT - 1) ** 2)),
        ("div", LIMIT, 1, str(LIMIT)),
        ("div", LIMIT - 1, 3, str((LIMIT - 1) // 3)),
        ("div", -LIMIT, -1, str(LIMIT)),
        ("div", 0, 7, "0"),
        ("sum", 0.1, 0.2, "0.30000000000000004"),
        ("div", 7.5, 2.5, "3.0"),
    ],
)
def test_whole_numbers_are_exact_and_fractions_are_as_python_has_them(name, value, other, text):
    assert answer(name, value, other) == text


def test_a_division_by_zero_is_an_outcome():
    assert error(perform("div", {"value": 1, "other": 0}))["type"] == "ZeroDivisionError"


def test_a_quotient_that_is_no_finite_number_fails():
    assert error(perform("div", {"value": 1e18, "other": 5e-324}))["type"] == "OverflowError"


@pytest.mark.parametrize(
    "arguments",
    [
        {"value": True, "other": 1},
        {"value": "1", "other": 1},
        {"value": 1},
        {"value": 1, "other": 1, "more": 1},
        {"value": LIMIT + 1, "other": 1},
        '{"value": NaN, "other": 1}',
        {"value": {"__type__": "decimal", "__value__": "1.5"}, "other": 1},
        "[]",
        "not json",
    ],
)
def test_arguments_are_checked_once_more_by_the_worker(arguments):
    assert error(perform("sum", arguments))["type"] == "ArgumentsRefused"


def test_an_operation_nobody_knows_fails_with_a_sentence():
    assert "no_such" in error(perform("no_such", {}))["message"]


def test_an_error_without_words_still_says_what_it_is(extra):
    def speechless(value, other):
        raise RuntimeError

    extra(speechless)

    assert error(perform("speechless", {"value": 1, "other": 1})) == {"type": "RuntimeError", "message": "RuntimeError"}


def test_an_error_that_is_no_text_can_be_stored(extra):
    def odd(value, other):
        raise ValueError("\ud800 half a character")

    extra(odd)

    error(perform("odd", {"value": 1, "other": 1}))["message"].encode("utf-8")


def test_a_result_that_is_no_json_fails(extra):
    def shapeless(value, other):
        return object()

    def endless(value, other):
        return float("inf")

    extra(shapeless)
    extra(endless)

    assert error(perform("shapeless", {"value": 1, "other": 1}))["type"] == "ResultRefused"
    assert error(perform("endless", {"value": 1, "other": 1}))["type"] == "ResultRefused"


def test_a_result_over_the_limit_fails_with_the_limit_in_the_sentence(extra):
    def long(value, other):
        return "é" * value

    extra(long)
    crew = Crew(max_result_bytes=2048)

    assert perform("long", {"value": 1000, "other": 1}, crew).status is Status.SUCCEEDED
    assert "2048" in error(perform("long", {"value": 1030, "other": 1}, crew))["message"]


def test_the_answer_of_a_failed_outcome_is_an_exception_with_type_and_sentence():
    outcomes = [perform("div", {"value": 1, "other": 0})]

    with pytest.raises(OperationFailed, match=r"^ZeroDivisionError: .*zero"):
        Crew.answer(outcomes)


def test_the_published_schema_is_made_from_the_signature():
    spec = OPERATIONS["sum"].spec

    assert spec.summary == "Add two numbers."
    assert set(spec.arguments["properties"]) == {"value", "other"}
    assert spec.arguments["additionalProperties"] is False


def test_two_operations_can_not_share_a_name():
    def sum(value: int) -> int:
        return value

    with pytest.raises(SettingsRefused, match="sum"):
        operation(tiny=True)(sum)
