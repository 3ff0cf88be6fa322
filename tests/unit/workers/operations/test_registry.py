"""Operations: what the decorator makes of a function, and one attempt: arguments in, an ending out."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from errand.errors import SettingsRefused
from schemas.operations import WITHOUT_OPERATIONS, Example
from tests.support import wrong_operations as wrong
from workers.compute.attempt import Ending, attempt
from workers.operations import OPERATIONS
from workers.operations.loader import load
from workers.operations.registry import REGISTRY, RegisteredOperation, operation, progress, set_progress_reporter

LIMIT = 10**18


@pytest.fixture(autouse=True)
def _a_registry_of_its_own(monkeypatch):
    """Forget after a test what it declared."""
    monkeypatch.setattr("workers.operations.registry.REGISTRY", dict(OPERATIONS))


def declare(function, **options) -> RegisteredOperation:
    from workers.operations import registry

    operation(**options)(function)
    return registry.REGISTRY[function.__name__]


def run(name: str | RegisteredOperation, arguments: object, most: int = 1_000_000) -> Ending:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return attempt(OPERATIONS[name] if isinstance(name, str) else name, text, most)


def answer(name: str, value: object, other: object) -> str:
    ending = run(name, {"value": value, "other": other})
    assert ending.kind == "succeeded", ending.payload
    return ending.payload


def error(ending: Ending) -> dict[str, str]:
    assert ending.kind == "failed"
    return json.loads(ending.payload)


class TestArithmetic:
    @pytest.mark.parametrize(("name", "text"), [("sum", "40"), ("sub", "20"), ("mul", "300"), ("div", "3")])
    def test_the_tutorials_answers(self, name, text):
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
    def test_whole_numbers_are_exact_and_fractions_are_as_python_has_them(self, name, value, other, text):
        assert answer(name, value, other) == text

    def test_a_division_by_zero_is_an_ending(self):
        assert error(run("div", {"value": 1, "other": 0}))["type"] == "ZeroDivisionError"

    def test_a_quotient_that_is_no_finite_number_fails(self):
        assert error(run("div", {"value": 1e18, "other": 5e-324}))["type"] == "OverflowError"


class TestAttempt:
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
            '{"value": 1, "other": "\ud800"}',
            '{"value": 1, "other": "\\ud800"}',
        ],
    )
    def test_arguments_are_checked_once_more_by_the_worker(self, arguments):
        ending = run("sum", arguments)

        assert error(ending)["type"] == "ArgumentsRefused"
        assert not ending.retryable

    def test_an_error_without_words_still_says_what_it_is(self):
        def speechless() -> None:
            raise RuntimeError

        assert error(run(declare(speechless), {})) == {"type": "RuntimeError", "message": "RuntimeError"}

    def test_an_error_that_is_no_text_can_be_stored(self):
        def odd() -> None:
            raise ValueError("\ud800 half a character")

        error(run(declare(odd), {}))["message"].encode("utf-8")

    @pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, BaseException])
    def test_what_is_no_exception_is_data_all_the_same(self, kind):
        def leave() -> None:
            raise kind("away")

        assert error(run(declare(leave), {})) == {"type": kind.__name__, "message": "away"}

    def test_a_check_that_fails_inside_an_operation_is_not_the_callers_fault(self):
        def careless() -> int:
            OPERATIONS["sum"].check("{}")
            return 1

        assert error(run(declare(careless), {}))["type"] == "ValidationError"

    @pytest.mark.parametrize("result", [object(), float("inf"), {"a": float("nan")}, "\ud800", {("a", "b"): 1}])
    def test_a_result_that_is_no_json_fails(self, result):
        def shapeless() -> Any:
            return result

        assert error(run(declare(shapeless), {}))["type"] == "ResultRefused"

    def test_a_result_without_end_fails(self):
        def endless() -> Any:
            result: list[Any] = []
            result.append(result)
            return result

        assert error(run(declare(endless), {}))["type"] == "ResultRefused"

    def test_a_result_over_the_limit_fails_with_the_limit_in_the_sentence(self):
        def long(times: int) -> str:
            return "é" * times

        stretch = declare(long, retry_on=[Exception])

        assert run(stretch, {"times": 1000}, most=2048).kind == "succeeded"
        assert "2048" in error(run(stretch, {"times": 1030}, most=2048))["message"]
        assert not run(stretch, {"times": 1030}, most=2048).retryable

    def test_a_result_may_be_an_object_of_a_class(self):
        @dataclass
        class Point:
            x: int
            y: int

        def corners() -> list[Point]:
            return [Point(0, 0), Point(1, 2)]

        assert run(declare(corners), {}).payload == '[{"x":0,"y":0},{"x":1,"y":2}]'

    def test_only_errors_that_an_operation_lists_are_worth_another_attempt(self):
        def look_up(timely: bool) -> None:
            raise ConnectionResetError if timely else ValueError

        lookup = declare(look_up, retry_on=[ConnectionError, TimeoutError])

        assert run(lookup, {"timely": True}).retryable
        assert not run(lookup, {"timely": False}).retryable


class TestDeclaration:
    def test_the_published_schema_is_made_from_the_signature(self):
        spec = OPERATIONS["sum"].spec

        assert spec.summary == "Add two numbers."
        assert set(spec.arguments["properties"]) == {"value", "other"}
        assert spec.arguments["additionalProperties"] is False

    def test_a_docstring_is_the_summary_and_the_description(self):
        def telling(name: str, copy: int = 1, model_of: list[float] | None = None) -> dict[str, int]:
            """Say one thing.

            And then another,
            and more.
            """
            return {name: copy}

        spec = declare(telling, service="acme", timeout=5, memory=2**20, max_attempts=2, backoff=0.5).spec

        assert (spec.summary, spec.description) == ("Say one thing.", "And then another,\nand more.")
        assert spec.arguments["required"] == ["name"]
        assert spec.result == {"additionalProperties": {"type": "integer"}, "type": "object"}
        assert spec.limits.model_dump() == {"timeout": 5, "memory": 2**20, "max_attempts": 2, "backoff": 0.5}
        assert spec.queue == "acme.cpu"

    def test_an_async_function_is_for_many_at_a_time(self):
        async def wait() -> None:
            """Wait."""

        assert declare(wait).spec.queue == "compute.io"

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"tiny": True, "timeout": 5}, "tiny and has a timeout"),
            ({"tiny": True, "memory": 5}, "tiny and has a timeout or a memory limit"),
            *(({"service": service}, "computes nothing") for service in WITHOUT_OPERATIONS),
            ({"service": "Ächme"}, "beginning with a letter"),
            ({"service": ""}, "beginning with a letter"),
            ({"service": "a" * 41}, "beginning with a letter"),
            ({"timeout": 0}, "timeout"),
            ({"max_attempts": 0}, "max_attempts"),
            ({"retry_on": ["OSError"]}, "retry_on"),
            ({"examples": [Example(arguments={"number": "one"})]}, "number"),
        ],
    )
    def test_a_wrong_option_is_refused_in_a_sentence(self, options, words):
        def fine(number: int) -> int:
            return number

        with pytest.raises(SettingsRefused, match=f"'fine'.*{words}"):
            declare(fine, **options)

    @pytest.mark.parametrize(
        ("function", "words"),
        [
            (wrong.untyped, "without a type"),
            (wrong.unsaid, "doesn't say what it returns"),
            (wrong.many, r"takes \*values"),
            (wrong.named, r"takes \*\*values"),
            (wrong.unnamed, "takes value"),
            (wrong.unheard_of, "can't be read"),
            (wrong.shapeless, "can't be described as JSON"),
            (wrong.several, "is a generator"),
            (lambda: 1, "is not a function with a name"),
        ],
    )
    def test_a_wrong_function_is_refused_in_a_sentence(self, function, words):
        with pytest.raises(SettingsRefused, match=f"{function.__name__!r}.*{words}"):
            declare(function)

    def test_a_tiny_one_can_not_wait(self):
        async def wait() -> None:
            """Wait."""

        with pytest.raises(SettingsRefused, match="tiny and `async def`"):
            declare(wait, tiny=True)

    def test_two_operations_can_not_share_a_name(self):
        def sum(value: int) -> int:
            return value

        with pytest.raises(SettingsRefused, match="sum"):
            declare(sum, tiny=True)


class TestLoading:
    def test_a_module_that_can_not_be_loaded_is_named(self):
        with pytest.raises(SettingsRefused, match=r"tests\.support\.broken_operations.*a_package_that_nobody_has"):
            load(["tests.support.broken_operations"])

    def test_a_module_that_is_not_there_is_named(self):
        with pytest.raises(SettingsRefused, match=r"nowhere\.to_be_found can't be loaded"):
            load(["nowhere.to_be_found"])

    def test_a_package_is_loaded_with_all_its_modules(self):
        assert {"sum", "sub", "mul", "div"} <= load(["workers.operations"]).keys()
        assert OPERATIONS is REGISTRY


class TestProgress:
    def test_where_nobody_listens_it_is_lost(self):
        progress(0.5, "half")

    def test_it_stays_between_0_and_1(self, monkeypatch):
        heard = []
        monkeypatch.setattr("workers.operations.registry._reporters", [])
        set_progress_reporter(lambda fraction, message: heard.append((fraction, message)))

        for fraction in (-1, 0.25, 7, float("nan")):
            progress(fraction)

        assert heard == [(0.0, None), (0.25, None), (1.0, None)]


def test_the_decorator_without_parentheses_is_refused_with_a_sentence():
    with pytest.raises(SettingsRefused, match=r"^The decorator of 'halve' .* write `@operation\(\)`\.$"):

        @operation
        def halve(value: int) -> float:
            return value / 2
